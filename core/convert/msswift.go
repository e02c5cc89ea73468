package convert

import (
	"math"

	"finetui/core/config"
)

// msSwift has a weight for the tokens of an answer, on the answer's message; on the row it would be ignored in silence.
var msSwift = dialect{
	name:    config.DialectMSSwift,
	trainer: "ms-swift",
	lines:   true,
	holds:   traits{system: true, weights: true, supervision: true, clips: true, mixed: true},
	start: "start ms-swift in that folder, or with ROOT_IMAGE_DIR set to it; pass --strict true, without which " +
		"broken rows are replaced by random ones, " +
		"and where rows have a loss_scale --is_binary_loss_scale false, without which it is ignored; " +
		"--enable_channel_loss true reports the loss of each class",
	write:    writeSwift,
	read:     readMessages,
	settings: msSwiftSettings,
}

func writeSwift(r Record, tokens Tokens) []any {
	row := messagesRow{ID: r.ID, Messages: taggedMessages(r), Images: r.media(Image), Videos: r.media(Video),
		Channel: r.Channel}
	first := len(row.Messages) - len(r.Turns)
	for i, t := range r.Turns {
		m := &row.Messages[first+i]
		switch {
		case t.Role != Assistant:
		case !t.Supervised:
			m.Loss = new(bool)
		case tokens != nil:
			scale, _ := answerScale(r.Weight, tokens(m.Content))
			m.LossScale = &scale
		}
	}
	return []any{row}
}

// endTokens are those behind an answer that ms-swift supervises with weight 1 whatever the answer's scale: <|im_end|>
// and the newline.
const endTokens = 2

// answerScale is the loss_scale that gives all n+2 tokens of an answer and its end the weight w together: w + 2(w−1)/n.
// Where that is not positive, the end alone weighs more than the row should; the answer then gets w, so that answers
// keep their proportions, and exact is false.
func answerScale(w float64, n int) (scale float64, exact bool) {
	scale, exact = w+endTokens*(w-1)/float64(max(n, 1)), true
	if scale <= 0 {
		scale, exact = w, false
	}
	return math.Round(scale*1e6) / 1e6, exact
}

// rowWeight is the weight that answerScale was given.
func rowWeight(scale float64, n int) float64 {
	return (scale*float64(n) + endTokens) / float64(n+endTokens)
}

// meanOne is what weights are multiplied with so that their mean over the supervised tokens of all answers is 1, ends
// included: ms-swift divides the loss by the number of tokens, not by the sum of their scales. It is 1 where there is
// nothing to weigh.
func meanOne(weights []float64, tokens []int) float64 {
	var sum, mass float64
	for i, w := range weights {
		n := float64(tokens[i] + endTokens)
		sum += n
		mass += w * n
	}
	if mass <= 0 {
		return 1
	}
	return sum / mass
}
