package conformance

// plain leaves the request be: it asks for nothing but a connection.
func plain(*request) {}

// exchange is a case on a connection that has just been opened. It ends with a close handshake unless it has ended
// otherwise.
func exchange(section, name string, run func(c *conn)) Case {
	return exchangeAfter(section, name, plain, run)
}

// exchangeAfter is an exchange whose handshake, which has to succeed, is edited.
func exchangeAfter(section, name string, edit func(*request), run func(c *conn)) Case {
	return Case{Section: section, Name: name, run: func(s *Server) error {
		c, _, err := open(s, edit)
		if err != nil {
			return err
		}
		return c.conclude(run)
	}}
}

// conclude runs what is to happen on an open connection, and closes it.
func (c *conn) conclude(run func(c *conn)) error {
	defer c.nc.Close()
	if run(c); !c.ended {
		c.close(1000)
	}
	return c.err
}

// echo says of a case that it sends valid messages.
func (c Case) echo() Case {
	c.echoes = true
	return c
}

// refuses is a case in which the server has to close with a status because of what is sent, in one write.
func refuses(section, name string, status int, in ...[]byte) Case {
	return exchange(section, name, func(c *conn) {
		c.send(in...)
		c.wantClose(status)
	})
}

// refusesEarly is refuses for what ends within a frame: the server has to close without the rest of it.
func refusesEarly(section, name string, status int, in ...[]byte) Case {
	return exchange(section, name, func(c *conn) {
		c.stopIn(in...)
		c.wantClose(status)
	})
}

// echoesText is a case in which frames make up a text, which has to come back.
func echoesText(section, name, want string, in ...[]byte) Case {
	return exchange(section, name, func(c *conn) {
		c.send(in...)
		c.wantText(want)
	}).echo()
}

// accepted is a case whose handshake is unusual and right.
func accepted(section, name string, edit func(*request)) Case {
	return exchangeAfter(section, name, edit, (*conn).answers)
}

// verdict says of the response to a wrong handshake whether it is right.
type verdict func(resp *answer) error

// rejected is a case whose handshake has to be refused.
func rejected(section, name string, v verdict, edit func(*request)) Case {
	return Case{Section: section, Name: name, run: func(s *Server) error {
		r := newRequest(s)
		edit(&r)
		return ask(s, r.method, r.bytes(), v)
	}}
}

// ask sends a request as it is, and judges the answer.
func ask(s *Server, method string, request []byte, v verdict) error {
	c, err := connect(s)
	if err != nil {
		return err
	}
	defer c.nc.Close()
	c.send(request)
	resp, err := c.answer(method)
	if err != nil {
		return err
	}
	return v(resp)
}
