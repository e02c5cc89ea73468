package run

// Process names a process for good: a pid alone is used again.
type Process struct {
	PID   int    `json:"pid"`
	Start int64  `json:"start"` // Linux: clock ticks since boot; elsewhere Unix milliseconds
	Boot  string `json:"boot"`  // differs after every boot
}
