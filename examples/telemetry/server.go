package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/hub"
	"github.com/gofiber/fiber/v2"
)

// server is the whole application: devices at /ingest, browsers at / and /live, JSON at /api.
type server struct {
	app    *fiber.App
	store  store
	pulse  *pulse
	stats  *stats
	ingest *ingest
	live   *live
	signer signer
	turns  turns
	demo   bool
	log    *slog.Logger
}

// keyFile is where the key is kept when WSX_KEY is not set: beside the database, or in the working directory when that
// is a PostgreSQL, where the default database has it too. So -mint needs no address with a password.
func keyFile(db string) string {
	if isPostgres(db) {
		db = defaultDB
	}
	return db + ".key"
}

// newServer opens the database and puts the parts together. Close it when it no longer serves.
func newServer(o options, log *slog.Logger) (*server, error) {
	key, err := loadKey(keyFile(o.db), log)
	if err != nil {
		return nil, err
	}
	st, err := openStore(o.db)
	if err != nil {
		return nil, err
	}
	stored, letters, err := st.counted(context.Background())
	if err != nil {
		return nil, errors.Join(err, st.close())
	}
	s := &server{
		store: st, pulse: newPulse(st.ping, log), stats: newStats(stored, letters),
		signer: signer{key, o.lifetime}, turns: make(turns, maxLong), demo: o.demo, log: log,
	}
	s.live = newLive(s.totals, log)
	s.ingest = newIngest(s.store, s.pulse, s.stats, s.live, log)
	s.live.delivery = s.delivery
	s.live.start()
	s.pulse.start()
	s.app = s.routes()
	return s, nil
}

func (s *server) routes() *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ReadBufferSize:        16 << 10, // room for a token of 8 KiB among the headers
		BodyLimit:             1 << 10,  // nothing here takes a body
		ReadTimeout:           5 * time.Second,
		WriteTimeout:          30 * time.Second, // or whoever asks and does not read keeps the answer here
		IdleTimeout:           75 * time.Second,
		ErrorHandler:          s.failJSON,
	})
	app.Use("/ingest", wsx.New(wsx.Config{
		Hub:            s.ingest.hub,
		Auth:           jwt.HMAC(s.signer.key),
		Authorize:      func(_ *fiber.Ctx, id auth.Identity) error { return checkDevice(id.Subject) },
		RequireUpgrade: true,
	}))
	app.Use("/live", wsx.New(wsx.Config{Hub: s.live.hub, RequireUpgrade: true})) // pages of other sites get 403
	s.routeAPI(app)
	routePage(app)
	return app
}

// totals is what /api/stats and the page show.
func (s *server) totals() totals {
	t := s.stats.snapshot()
	t.Connected = s.ingest.hub.Len()
	return t
}

// delivery is what /api/stats and the page show beside the totals.
func (s *server) delivery() delivery {
	d := s.stats.delivery()
	h := s.ingest.hub.Stats()
	d.Unsettled, d.Acks, d.Nacks = h.BatchPending, h.Acks, h.Nacks
	d.DatabaseAway = s.pulse.away().Seconds()
	d.Paused, d.Pauses, d.PausedMS = h.Paused, h.Pauses, h.PausedTime.Milliseconds()
	return d
}

// serve answers until SIGINT or SIGTERM. Devices drain first: when it returns, what was read from them is stored and
// the browsers have been shown it.
func (s *server) serve(ln net.Listener) error {
	return wsx.Serve(s.app, ln, s.hubs()...)
}

func (s *server) hubs() []*hub.Hub { return []*hub.Hub{s.ingest.hub, s.live.hub} }

// close ends what newServer started, after serve has returned.
func (s *server) close() error {
	s.live.close()
	s.pulse.close()
	return s.store.close()
}
