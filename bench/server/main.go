// Command server is wsx as the benchmark and outside test suites drive it: an echo, a broadcast and an ingest
// endpoint, with the limits off that a load test would run into.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
)

const readTimeout = 5 * time.Second

// What -limits can be.
const (
	limitsOff     = "off"
	limitsDefault = "default"
)

type options struct {
	addr         string
	maxMessage   int
	compress     bool
	subprotocols string
	pingInterval time.Duration
	tlsCert      string
	tlsKey       string
	limits       string
	debug        bool
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "127.0.0.1:9001", "`HOST:PORT` to listen on")
	flag.IntVar(&o.maxMessage, "max-message", 0, "longest message in bytes; 0: the default of wsx, negative: no limit")
	flag.BoolVar(&o.compress, "compress", false, "negotiate permessage-deflate")
	flag.StringVar(&o.subprotocols, "subprotocols", "", "comma-separated subprotocols to answer")
	flag.DurationVar(&o.pingInterval, "ping-interval", 0, "ping every `D` and allow D for the pong; 0: the default of wsx")
	flag.StringVar(&o.tlsCert, "tls-cert", "", "serve TLS with the certificate in `FILE`")
	flag.StringVar(&o.tlsKey, "tls-key", "", "`FILE` of its key")
	flag.StringVar(&o.limits, "limits", limitsOff, "off: without the limits that a load test would run into; default: as wsx has them")
	flag.BoolVar(&o.debug, "debug", false, "serve /debug/state, /panic and /gated too")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if o.limits != limitsOff && o.limits != limitsDefault {
		return fmt.Errorf("-limits is %q; it knows off and default", o.limits)
	}
	app, hubs := o.app()
	fmt.Println("listening on", o.addr)
	if o.tlsCert == "" {
		return wsx.Listen(app, o.addr, hubs...)
	}
	cert, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey)
	if err != nil {
		return err
	}
	return wsx.ListenTLS(app, o.addr, cert, hubs...)
}

// app returns the endpoints, and their hubs in the order in which they are to be drained.
func (o options) app() (*fiber.App, []*hub.Hub) {
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadTimeout: readTimeout})
	hubs := []*hub.Hub{o.ingest(hub.AckNone), o.ingest(hub.AckBatch), o.echo(), o.broadcast()}
	for i, path := range []string{"/ingest", "/ingest-acked", "/echo", "/broadcast"} {
		app.Use(path, wsx.New(wsx.Config{Hub: hubs[i], Subprotocols: o.protocols(), Origins: []string{"*"}}))
	}
	if o.debug {
		hubs = append(hubs, o.serveDebug(app)...)
	}
	return app, hubs
}

func (o options) protocols() []string {
	if o.subprotocols == "" {
		return nil
	}
	return strings.Split(o.subprotocols, ",")
}

// config returns the configuration that all hubs share.
func (o options) config() hub.Config {
	cfg := hub.Config{
		MaxMessage:   o.maxMessage,
		PingInterval: o.pingInterval,
		PongTimeout:  o.pingInterval,
		Compression: hub.Compression{
			Enabled:               o.compress,
			ServerContextTakeover: true,
			ClientContextTakeover: true,
		},
	}
	if o.limits != limitsDefault {
		cfg.MaxConns, cfg.ControlRate, cfg.Rate = -1, -1, -1
	}
	return cfg
}

func (o options) echo() *hub.Hub {
	cfg := o.config()
	cfg.OnMessage = func(c *hub.Conn, m hub.Message) error { return c.Send(m) }
	return hub.New(cfg)
}

func (o options) broadcast() *hub.Hub {
	cfg := o.config()
	var h *hub.Hub
	cfg.OnMessage = func(_ *hub.Conn, m hub.Message) error { return h.All().Send(m) }
	h = hub.New(cfg)
	return h
}

// ingested counts what the batch handler has seen.
var ingested atomic.Int64

func (o options) ingest(acks hub.AckLevel) *hub.Hub {
	cfg := o.config()
	cfg.Ack = acks
	cfg.OnBatch = func(_ context.Context, b *hub.Batch) error {
		ingested.Add(int64(b.Len()))
		return nil
	}
	return hub.New(cfg)
}
