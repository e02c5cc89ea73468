// Package textmetric compares an answer in free words with the one that was expected, in the numbers that the field
// reports. It knows no model, no data set and no file but WordNet's.
//
// METEOR (Banerjee and Lavie, 2005, with the three parameters of Lavie and Agarwal, 2007) pairs the words of both
// texts: equal ones first, then those with one Porter stem, then synonyms. It weighs recall nine times as much as
// precision and takes off up to a half for pairs that are scattered. Many programs bear the name and differ in the
// second digit; this one is nltk's meteor_score (3.10.4: α 0.9, β 3, γ 0.5) on the words of nltk's NLTKWordTokenizer,
// lower case, stems of its PorterStemmer in NLTK_EXTENSIONS mode. What follows from its definition and surprises:
//
//   - Two equal texts of n words score 1 − 0.5/n³, not 1: "good" against "good" is 0.5.
//   - Pairs are not searched for the fewest crossings. Each stage walks the prediction from its last word to its first
//     and takes the last free word of the reference.
//   - The third stage sees stems, not words, as in nltk, and asks WordNet (Miller, 1995). It takes part only where
//     WordNet's files are on the machine ([FindWordNet]); a score with it and one without it are two measures, so
//     [Meteor.Synonyms] has to be told beside the number.
//
// ROUGE-L (Lin, 2004) is the longest common subsequence of words; this one is rouge_score's rougeL (0.1.2) without
// stemming. There a word is a run of a–z and 0–9: an accent cuts a word in two, and a text in another script has no
// word at all and scores 0 even against itself. [HasLatin] tells such texts.
//
// Neither measure knows whether a correction is right. "hips too low" against "hips too high" scores well in both,
// which is why the exercise that an answer names is counted on its own (package eval).
package textmetric
