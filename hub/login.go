package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/ratelimit"
	"github.com/fiberwsx/wsx/ws"
)

const (
	// authTimeout is how long verifying a token may take on a live connection.
	authTimeout = 5 * time.Second
	// maxAuthMessage is the longest message in bytes that can be one with a token.
	maxAuthMessage = auth.MaxToken + 1<<10
)

// authRate is how often a client may send a token: each costs a signature.
var authRate = ratelimit.Rate{PerSecond: 1, Burst: 5}

// login is what a connection has whose token ends, or whose client may send tokens.
type login struct {
	conn         *Conn
	authenticate func(ctx context.Context, token string) (auth.Identity, error) // nil: it may not
	renewed      atomic.Pointer[auth.Identity]                                  // nil: as in the request
	unknown      atomic.Bool                                                    // the client has yet to say who it is
	bucket       ratelimit.Bucket                                               // of the goroutine that reads
	looks        ratelimit.Bucket                                               // likewise; see mayBeToken

	// Under the lock of hub.expiries.
	end   time.Time
	place int // in the heap, from 1; 0: not there
}

var (
	errOtherSubject = errors.New("hub: the token is another subject's")
	errExpired      = errors.New("hub: the token has expired")
)

// Identity returns who the client is, as its newest token says; zero without authentication. Its claims are to be read
// only.
func (c *Conn) Identity() auth.Identity { return *c.identity() }

func (c *Conn) identity() *auth.Identity {
	if c.login != nil {
		if renewed := c.login.renewed.Load(); renewed != nil {
			return renewed
		}
	}
	return &c.req.Identity
}

// expireAt sets when the connection ends, as its token says.
func (c *Conn) expireAt(at time.Time) {
	c.hub.expiries.set(c.login, at)
	if c.closing() { // after its end nobody would take it out
		c.hub.expiries.remove(c.login)
	}
}

// expire closes the connection, unless its token was renewed in the last moment.
func (c *Conn) expire() {
	if c.stranger() {
		_ = c.Close(ws.StatusAuthFailed, "authentication timed out")
	} else if at := c.identity().Expires; !at.IsZero() && !time.Now().Before(at) {
		_ = c.Close(ws.StatusTokenExpired, "token expired")
	}
}

// takeToken handles a message {"type":"auth","token":"..."}. False: the message is another one.
func (c *Conn) takeToken(t ws.MessageType, payload []byte) bool {
	token, ok := "", false
	if c.login.authenticate != nil {
		token, ok = tokenIn(t, payload)
	}
	switch {
	case !ok && c.stranger():
		_ = c.Close(ws.StatusAuthFailed, "authentication required")
		return true
	case !ok:
		return false
	}
	(*events)(c).Pause() // what follows may end the goroutine
	if !c.login.bucket.Allow(time.Now(), authRate) {
		_ = c.Close(ws.StatusRateLimited, "rate limited")
		return true
	}
	id, err := c.verify(token)
	var crash *PanicError
	switch {
	case errors.As(err, &crash): // has closed it
	case c.closeAs(err): // it says how
	case err != nil:
		c.hub.log.Debug("websocket token refused", "conn", c.id, "subject", quoted(c.Subject()), "error", quoted(err.Error()))
		_ = c.Close(ws.StatusAuthFailed, "authentication failed")
	default:
		c.login.renewed.Store(&id)
		c.expireAt(id.Expires)
		c.endIfRevoked()
		_ = c.SendText(welcome(id.Expires))
		if c.stranger() {
			c.introduce()
		}
	}
	return true
}

// mayBeToken reports whether a message that the rate does not allow is worth a look, because it may renew the token,
// which no rate holds up: now and then.
func (c *Conn) mayBeToken() bool {
	return c.login != nil && c.login.authenticate != nil && c.login.looks.Allow(c.wire.ReadAt(), authRate)
}

// tokenIn returns the token of a message that has one. Only what may be such a message is decoded.
func tokenIn(t ws.MessageType, payload []byte) (token string, ok bool) {
	if t != ws.Text || len(payload) > maxAuthMessage || !bytes.Contains(payload, []byte(`"auth"`)) {
		return "", false
	}
	var m struct {
		Type  string `json:"type"`
		Token string `json:"token"`
	}
	if json.Unmarshal(payload, &m) != nil || m.Type != "auth" {
		return "", false
	}
	return m.Token, true
}

// verify returns whose token it is, if it is the connection's.
func (c *Conn) verify(token string) (id auth.Identity, err error) {
	if err := auth.CheckToken(token); err != nil {
		return id, err
	}
	ctx, cancel := context.WithTimeout(c.Context(), authTimeout)
	defer cancel()
	err = c.guard("Authenticate", func() (err error) {
		id, err = c.login.authenticate(ctx, token)
		return err
	})
	switch {
	case err != nil:
		return id, err
	case id.Subject != c.Subject() && !c.stranger():
		return id, errOtherSubject
	case !id.Expires.IsZero() && !time.Now().Before(id.Expires):
		return id, errExpired
	}
	return id, nil
}

// welcome is what a client is told whose token was taken.
func welcome(expires time.Time) string {
	if expires.IsZero() {
		return `{"type":"auth","ok":true}`
	}
	return fmt.Sprintf(`{"type":"auth","ok":true,"expires_in_ms":%d}`, max(0, time.Until(expires).Milliseconds()))
}
