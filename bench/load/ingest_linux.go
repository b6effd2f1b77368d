package load

import "time"

// Stream writes as much as the server takes, on every connection. A ping behind it all tells when the server has read
// it.
func (c *Client) Stream(l Load) (Result, error) {
	var burst []byte
	count := uint64(max(1, (32<<10)/(l.Size+8)))
	for i := range count {
		burst = appendFrame(burst, opBinary, i, l.Size)
	}
	var total uint64
	pour := func(d time.Duration) error {
		for deadline := time.Now().Add(d); time.Now().Before(deadline); {
			wrote := false
			for _, k := range c.all {
				if len(k.out) == 0 {
					if err := k.write(burst); err != nil {
						return err
					}
					total += count
					wrote = true
				}
			}
			wait := 10 * time.Millisecond
			if wrote {
				wait = 0
			}
			if err := c.turn(wait, nothing); err != nil {
				return err
			}
		}
		return c.settle()
	}
	if err := pour(l.Warmup); err != nil {
		return Result{}, err
	}
	s := begin(l.Meter, total)
	err := pour(l.Measure)
	return s.end(total), err
}

// settle waits until the server has read everything: it answers a ping behind it.
func (c *Client) settle() error {
	for _, k := range c.all {
		k.pongs = 0
		if err := k.write(appendControl(opPing, []byte("settled?"))); err != nil {
			return err
		}
	}
	return c.until(func() bool {
		for _, k := range c.all {
			if k.pongs == 0 {
				return false
			}
		}
		return true
	}, nothing)
}

// Paced sends a message every gap, from each connection in turn.
func (c *Client) Paced(l Load, gap time.Duration) (Result, error) {
	var total uint64
	frame := appendFrame(nil, opBinary, 1, l.Size)
	run := func(d time.Duration) error {
		next := time.Now()
		for end := next.Add(d); next.Before(end); next = next.Add(gap) {
			if err := c.turnUntil(next, nothing); err != nil {
				return err
			}
			if err := c.all[total%uint64(len(c.all))].write(frame); err != nil {
				return err
			}
			total++
		}
		return c.turnUntil(next, nothing)
	}
	if err := run(l.Warmup); err != nil {
		return Result{}, err
	}
	s := begin(l.Meter, total)
	if err := run(l.Measure); err != nil {
		return Result{}, err
	}
	r := s.end(total)
	return r, c.settle()
}
