package config

// Unusable is a constant whose value is allowed, but names what cannot be used: a folder that is not there, a split
// that the data set has not. Verbs exit with 2 for it, as for every fault of the configuration.
type Unusable struct {
	Key, Text string
	Cause     error // what the system says, for errors.Is; may be nil where there is a Text
}

func (u *Unusable) Error() string {
	if u.Text == "" { // the cause says it all
		return u.Cause.Error()
	}
	return u.Key + ": " + u.Text
}

func (u *Unusable) Unwrap() error { return u.Cause }
