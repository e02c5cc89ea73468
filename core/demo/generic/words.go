package generic

import (
	"math/rand/v2"
	"strings"
)

// SpecialTokens are Qwen2-VL's special tokens in the order of their ids.
var SpecialTokens = []string{"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>",
	"<|object_ref_end|>",
	"<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>",
	"<|vision_pad|>",
	"<|image_pad|>", "<|video_pad|>"}

// everyday words are only ever copied; nothing is said about them.
var everyday = strings.Fields(`
air anchor animal apple arm arrow ash back bag ball bank barn basket bay beam bed bell belt bench bird blade board boat bolt
bone book boot bottle bowl box branch bread brick bridge brush bucket butter button cable cake camp candle cap card cart castle
cat cave chain chair chalk cheese chest city clay clock cloth cloud coal coast coat coin copper cord cork corn corner cotton cow
crane crop crown cup curtain day deck deer desk dish dog door dress drum duck dust ear earth east edge egg engine eye face farm
feather field finger fire fish flag flame floor flour flute foam fog foot forest fork fox frame frog frost fruit garden gate gift
glass glove goat gold goose grain grape guitar hall hammer hand harbour hat hay head heart hen hill hole home honey hook horse
hour house ice ink iron island jar jewel key kettle kitchen knee knife knot ladder lake lamp land lantern leaf leather lemon
letter light lime linen lion lock map marble mark market mast meadow metal milk mill mine mint mirror money moon moss mountain
mouse nail neck needle nest net night north nose note oak oar oil onion orange oven page paint palm paper park part pea pear pen
pepper piano picture pig pilot pine place plane plant plate plum pocket pool port pot press pump purse quay queen rabbit rail
rain ribbon rice ring river rock roof room root rope rose rug sack saddle sail salt saw scale school screw sea seat seed shade
sheep shelf shell shield ship shirt shoe shop shore side sign silk silver skin sky sledge sleeve slope smoke snow soap sock soil
soup south spade spoon spring square stable stage stair stamp star station steam steel stem step stick stone store storm stove
straw stream street string sugar summer sun swan table tail tank tea tent thread tide tiger tile timber time tin toe tool tooth
top torch tower town toy track train tray tree truck tub tunnel valley velvet vessel village vine violin voice wagon watch water
wave wax week west wheat wheel whip whistle wind window wine wing winter wire wolf wood wool yard year zebra`)

var (
	onsets = strings.Fields("b c d f g h j k l m n p r s t v w z bl br ch cl cr dr fl fr gl gr kn pl pr qu sc sh " +
		"sk sl sn sp st sw th tr ve x y")
	vowels  = strings.Fields("a e i o u ai au ea ee ie oa oi oo ou")
	endings = []string{"", "b", "ck", "d", "ed", "el", "en", "er", "es", "g", "ge", "k", "l", "le", "ly", "m", "n",
		"ng", "nt", "on", "p",
		"r", "rd", "rk", "s", "st", "t", "te", "ted", "th", "tion", "y"}
)

// spared are words and names that no generic text may hold, so that the demo's own stay unseen.
var spared = []string{"drain", "damage", "blocked", "vegetation", "rock toe"}

// clean says whether a text is free of everything that is spared, however it is spelled.
func clean(text string) bool {
	plain := strings.Map(func(r rune) rune {
		switch r {
		case '-', '.', ';', ',', '_':
			return ' '
		}
		return r
	}, strings.ToLower(text))
	plain = strings.Join(strings.Fields(plain), " ")
	for _, s := range spared {
		if strings.Contains(plain, s) {
			return false
		}
	}
	return true
}

// pseudo is an invented word of one or two syllables.
func pseudo(rng *rand.Rand) string {
	word := ""
	for range 1 + rng.IntN(2) {
		word += pick(rng, onsets) + pick(rng, vowels)
	}
	return word + pick(rng, endings)
}

// name is an invented name of one to three words, now and then with a capital or a dash.
func name(rng *rand.Rand) string {
	for {
		words := make([]string, 1+rng.IntN(3))
		for i := range words {
			if rng.Float64() < .55 {
				words[i] = pseudo(rng)
			} else {
				words[i] = pick(rng, everyday)
			}
			if rng.Float64() < .3 {
				words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
			}
		}
		if len(words) > 1 && rng.Float64() < .25 {
			words[len(words)-2] += "-"
		}
		if n := strings.Join(words, " "); clean(n) {
			return n
		}
	}
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }
