package correlate

// DenialWords are words of which one or more occur in all that can be a denial: in its code and in its
// message, in whatever case, and as they are spelled here, in lower case, in the responseElements of a call
// whose items were denied (T40, T45, T46). They are for sources that leave out what can't be a denial.
func DenialWords() []string { return words(deniedWords) }

// ErrorWords are words of which one or more occur in the responseElements of a call with items that
// failed (T46).
func ErrorWords() []string { return words(errorWords) }

func words(list []word) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = w.text
	}
	return out
}
