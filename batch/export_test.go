package batch

import "time"

// NoJitter lets every pause be as long as it may, so that tests can say when attempts are.
func NoJitter() { jitter = func(d time.Duration) time.Duration { return d } }
