package run

import (
	"fmt"
	"slices"

	"finetui/core/eval"
	"finetui/core/level"
)

// The rules of what checks on valid tell.
const (
	inARow      = 3    // so many checks, one after the other, are no accident
	riseOnValid = 1.02 // the loss on valid rises to at least so many times what it was
)

// worse finds rare classes that have gone on worsening while the loss on valid fell: from a class's best check on there
// are three checks or more, in the last two of which it did worse, and by more than chance, that is, the 95 % intervals
// (Wilson) of its recall then and now lie apart. What is won then is won by the frequent classes.
func worse(checks []*Eval) []Alert {
	if len(checks) < inARow {
		return nil
	}
	now := checks[len(checks)-1]
	most := 0
	for _, r := range now.Recall {
		most = max(most, r.N)
	}
	var found []Alert
	for _, c := range RecallCurves(checks) {
		n := now.Recall[c.Name].N
		if n == 0 || float64(n) > rareBelow*float64(most) {
			continue
		}
		last, best := len(c.Y)-1, 0
		for i, y := range c.Y {
			if y >= c.Y[best] {
				best = i
			}
		}
		then := checks[slices.IndexFunc(checks, func(e *Eval) bool { return e.Step == c.Heads[best].Step })]
		before, after := then.Recall[c.Name].interval(), now.Recall[c.Name].interval()
		if last-best < inARow-1 || after[1] >= before[0] || !(now.Loss < then.Loss) {
			continue
		}
		found = append(found, Alert{now.Head, level.Warn,
			fmt.Sprintf("%s, rare with %d of valid, fell from %s right at step %d (%s) to %s (%s) over %d checks, more "+
				"than chance, while the loss fell from %s to %s", c.Name, n, percent(c.Y[best]), then.Step,
				spanText(before), percent(c.Last()), spanText(after), last-best+1, number(float64(then.Loss)),
				number(float64(now.Loss))),
			"give it more weight or draw it more often (RECIPE.CLASS_WEIGHTS, RECIPE.SAMPLING)"})
	}
	return found
}

// interval is where the share of right answers lies, with 95 %.
func (r Recall) interval() eval.Interval { return *eval.Wilson(r.Right, r.N, eval.Confidence) }

func spanText(i eval.Interval) string { return fmt.Sprintf("%.0f…%.0f %%", 100*i[0], 100*i[1]) }

// overfitting finds a loss on valid that has risen from check to check, three or more of them, while that of the rows
// that were trained on fell. Each check is held against the rows since the one before.
func overfitting(checks []*Eval, rows []*Train) []Alert {
	last := len(checks) - 1
	first := last
	for first > 0 && checks[first-1].Loss < checks[first].Loss {
		first--
	}
	if last-first < inARow-1 || !(checks[last].Loss >= riseOnValid*checks[first].Loss) {
		return nil
	}
	learned := func(i int) float64 {
		from := 0
		if i > 0 {
			from = checks[i-1].Step
		}
		var y []float64
		for _, r := range rows {
			if r.Step > from && r.Step <= checks[i].Step {
				y = append(y, float64(r.LossPlain))
			}
		}
		return Mean(y)
	}
	then, now := learned(first), learned(last)
	if !(now < then) {
		return nil
	}
	return []Alert{{checks[last].Head, level.Warn,
		fmt.Sprintf("overfitting: the loss on valid rose from %s at step %d to %s over %d checks while that in training "+
			"fell from %s to %s", number(float64(checks[first].Loss)), checks[first].Step,
			number(float64(checks[last].Loss)), last-first+1, number(then), number(now)),
		fmt.Sprintf("stop it (x), or train for less (TRAIN.EPOCHS); TRAIN.BEST_BY = loss keeps the checkpoint of step %d",
			checks[first].Step)}}
}

// The rules of a run that comes to nothing. They speak from half of its planned steps on: before that it may yet learn.
const (
	answersLeast  = 20  // answers that tell something
	unparsedShare = 0.5 // of the answers name no class
	parsedShare   = 0.1 // of the answers at most do so in a run that answers
)

// usefulness says what is wrong with so many answers of which so many were right and so many named no class, where the
// commonest class was to be named so often; empty where nothing is. where is what was answered: "valid at step 80".
func usefulness(where string, n, right, unparsed, commonest int) (bad level.Level, text, do string) {
	switch {
	case n < answersLeast:
	case float64(unparsed) >= unparsedShare*float64(n):
		return level.Error, fmt.Sprintf("%d of %d answers on %s name no class: the model has not learned to answer",
				unparsed, n, where),
			"read some of them (finetui infer, or Infer); train longer, or raise TRAIN.LEARNING_RATE"
	case right <= commonest:
		return level.Warn, fmt.Sprintf("%s right on %s, no better than always naming the commonest class (%s)",
				percent(float64(right)/float64(n)), where,
				percent(float64(commonest)/float64(n))),
			"train longer, or raise TRAIN.LEARNING_RATE; finetui lint says what else may be wrong"
	}
	return "", "", ""
}

// uselessResult looks at an evaluation after training.
func uselessResult(r *eval.Result) (bad level.Level, text, do string) {
	right, commonest := 0, 0
	for _, c := range r.Classes {
		right, commonest = right+c.Value.Right, max(commonest, c.Value.Support)
	}
	return usefulness(r.Split, r.N, right, r.Unparsed, commonest)
}

// uselessAnswers looks at the newest check: from half of the planned steps on; before, only
// at a run that had learned to answer and does so no more.
func uselessAnswers(checks []*Eval, steps int) []Alert {
	if len(checks) == 0 {
		return nil
	}
	now := checks[len(checks)-1]
	early := steps == 0 || 2*now.Step < steps
	if n := now.answers(); early && n >= answersLeast && float64(now.Unparsed) >= unparsedShare*float64(n) {
		for _, e := range checks[:len(checks)-1] {
			if then := e.answers(); then >= answersLeast && float64(e.Unparsed) <= parsedShare*float64(then) {
				return []Alert{{now.Head, level.Error,
					fmt.Sprintf("%d of %d answers on %s at step %d name no class, where %d did at step %d: the model has "+
						"lost how to answer", now.Unparsed, n, now.Split, now.Step, e.Unparsed, e.Step),
					"stop the run (x), and start one with a lower TRAIN.LEARNING_RATE"}}
			}
		}
	}
	if early {
		return nil
	}
	right, commonest := 0, 0
	for _, r := range now.Recall {
		right, commonest = right+r.Right, max(commonest, r.N)
	}
	bad, text, do := usefulness(fmt.Sprintf("%s at step %d", now.Split, now.Step), now.answers(), right,
		now.Unparsed, commonest)
	if text == "" {
		return nil
	}
	return []Alert{{now.Head, bad, text, do}}
}

// answers is how many there were.
func (e *Eval) answers() (n int) {
	for _, r := range e.Recall {
		n += r.N
	}
	return n
}
