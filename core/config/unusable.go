package config

// Unusable is a constant whose value is allowed, but names what cannot be used: a folder that is not there, a split
// that the data set has not. Verbs exit with 2 for it, as for every fault of the configuration.
type Unusable struct {
	Key, Text string
	Cause     error // what the system says, for errors.Is; may be nil
}

func (u *Unusable) Error() string { return u.Key + ": " + u.Text }

func (u *Unusable) Unwrap() error { return u.Cause }
