package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ratelimit"
	"github.com/gofiber/fiber/v2"
)

// The limits that are not the hub's or the handshake's.
var (
	speaking  = ratelimit.Rate{PerSecond: 1, Burst: 5}    // of one person, across all tabs and reconnects
	loggingIn = ratelimit.Rate{PerSecond: 0.5, Burst: 30} // of one address
)

// options are what the program is told from outside.
type options struct {
	key   []byte   // signs the tokens; 32 bytes at least
	code  string   // of the moderators
	rooms []string // their names
}

// server is the whole application: a login and tickets over HTTP, the socket at /ws, the page at /.
type server struct {
	app    *fiber.App
	hub    *hub.Hub
	rooms  map[string]*room // never changes
	names  *names
	key    []byte
	code   string
	tokens auth.Authenticator
	pace   *ratelimit.Limiter[string]
	logins *ratelimit.Limiter[string]
}

func newServer(o options) (*server, error) {
	s := &server{
		rooms: make(map[string]*room), names: newNames(), key: o.key, code: o.code, tokens: jwt.HMAC(o.key),
		pace:   ratelimit.NewLimiter[string](ratelimit.Config{Rate: speaking}),
		logins: ratelimit.NewLimiter[string](ratelimit.Config{Rate: loggingIn}),
	}
	for _, name := range o.rooms {
		if clean, err := cleanName(name); err != nil || clean != name {
			return nil, fmt.Errorf("room %q: a room is named like a person, without spaces around it", name)
		}
		if s.rooms[name] != nil {
			return nil, fmt.Errorf("room %q: there are two of that name", name)
		}
		s.rooms[name] = &room{name: name}
	}
	s.hub = hub.New(hub.Config{
		MaxMessage:   16 << 10, // 2,000 characters, each of them escaped
		Rate:         10,       // messages a second of one connection, typing among them
		Burst:        30,
		RoomCapacity: 500,
		OutboxBytes:  256 << 10,
		PingInterval: 25 * time.Second, // below what proxies close an idle connection at
		OnOpen:       func(c *hub.Conn) error { s.names.count(c.Subject(), 1, time.Now()); return nil },
		OnClose:      func(c *hub.Conn, _ error) { s.names.count(c.Subject(), -1, time.Now()) },
		OnJoin:       s.mayJoin,
		OnLeave:      s.left,
	})
	s.handle()
	s.app = s.routes(o.rooms)
	return s, nil
}

func (s *server) routes(rooms []string) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		BodyLimit:             1 << 10,
		ReadTimeout:           5 * time.Second,
		IdleTimeout:           75 * time.Second,
		ErrorHandler:          answerError,
	})
	app.Post("/login", s.login)
	app.Post("/renew", s.renew)
	app.Post("/logout", s.logout)
	tickets := auth.NewTickets()
	app.Post("/ticket", wsx.Tickets(tickets, wsx.Config{Hub: s.hub, Auth: s.tokens, Authorize: s.mayEnter}))
	app.Use("/ws", wsx.New(wsx.Config{
		Hub:                s.hub,
		Auth:               tickets,
		TokenLookup:        "protocol:wsx.ticket",
		Refresh:            true, // by a ticket for the new token
		RequireUpgrade:     true,
		MaxConnsPerSubject: 8,
		MaxConnsPerIP:      200, // an office behind one address
		HandshakeRate:      10,
		HandshakeBurst:     200,
	}))
	app.Get("/rooms", func(c *fiber.Ctx) error { return c.JSON(rooms) })
	routePage(app)
	return app
}

// answerError answers with {"error":"..."}. What went wrong inside stays in the log.
func answerError(c *fiber.Ctx, err error) error {
	e := fiber.ErrInternalServerError
	if !errors.As(err, &e) {
		slog.Error("request failed", "path", c.Path(), "error", err)
	}
	return c.Status(e.Code).JSON(fiber.Map{"error": e.Message})
}

// seconds is a duration as Retry-After has it.
func seconds(d time.Duration) string { return strconv.Itoa(int(d/time.Second) + 1) }
