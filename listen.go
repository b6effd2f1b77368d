package wsx

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/fiberwsx/wsx/hub"
)

const (
	readTimeout  = 5 * time.Second  // for a request's header
	idleTimeout  = 75 * time.Second // between two requests
	bodyTimeout  = 5 * time.Minute  // for a request's body
	fiberTimeout = 5 * time.Second  // for Fiber's own shutdown, after the hubs'
)

// Listen is [Serve] on a new listener of the app's network, tcp4 unless its configuration says otherwise.
func Listen(app *fiber.App, addr string, hubs ...*hub.Hub) error {
	if err := servable(app, hubs); err != nil {
		return err
	}
	ln, err := listening.Listen(context.Background(), app.Config().Network, addr)
	if err != nil {
		return fmt.Errorf("wsx: %w", err)
	}
	return Serve(app, ln, hubs...)
}

// ListenTLS is [Listen] with TLS. For development, [SelfSigned] makes a certificate.
func ListenTLS(app *fiber.App, addr string, cert tls.Certificate, hubs ...*hub.Hub) error {
	if err := servable(app, hubs); err != nil {
		return err
	}
	ln, err := listening.Listen(context.Background(), app.Config().Network, addr)
	if err != nil {
		return fmt.Errorf("wsx: %w", err)
	}
	if len(cert.Certificate) == 0 {
		_ = ln.Close()
		return errors.New("wsx: ListenTLS needs a certificate: load one with tls.LoadX509KeyPair, or make one with SelfSigned")
	}
	return Serve(app, tls.NewListener(ln, &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{cert},
		NextProtos:   []string{"http/1.1"},
	}), hubs...)
}

// Serve serves the app on ln until SIGINT or SIGTERM, or until the app is shut down otherwise. Then it drains the hubs
// in the order given, so name the one first that takes data in; HTTP still answers meanwhile, with 503 for new
// connections. Then it stops Fiber, within 5 s. A second signal cuts all that short.
//
// It returns nil when nothing was abandoned that a hub had accepted and every callback has returned, a
// [*hub.ShutdownError] otherwise (see [hub.Hub.Report]), and the listener's error when the serving failed. It closes
// ln.
//
// Where the app has none, it sets a ReadTimeout of 5 s, an IdleTimeout of 75 s and a time of 5 min for a request's
// body, and says so in the log. On Linux it has the kernel make room for 65,536 descriptors, or as many as the process
// may have: when they are needed that would stop the server for 10 ms and more. With Prefork it refuses to serve: each
// process would have a hub of its own.
func Serve(app *fiber.App, ln net.Listener, hubs ...*hub.Hub) error {
	if ln == nil {
		return errors.New("wsx: Serve needs a listener; wsx.Listen makes one")
	}
	if err := servable(app, hubs); err != nil {
		_ = ln.Close()
		return err
	}
	if app.Config().Prefork {
		_ = ln.Close()
		return errors.New("wsx: fiber.Config.Prefork starts processes that each have a hub of their own, so that a " +
			"broadcast reaches only some clients; turn it off")
	}
	setTimeouts(app.Server())
	reserveDescriptors()
	examineBuild(slog.Default())
	for _, h := range hubs {
		examineHub(h, slog.Default())
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	served := make(chan error, 1)
	go func() { served <- app.Listener(newPatient(ln)) }()
	select {
	case err := <-served:
		return errors.Join(err, drain(signals, hubs))
	case s := <-signals:
		slog.Info("wsx: shutting down; a second signal cuts it short", "signal", s.String())
	}
	err := drain(signals, hubs)
	ctx, cancel := context.WithTimeout(context.Background(), fiberTimeout)
	defer cancel()
	if stop := app.ShutdownWithContext(ctx); stop != nil && !errors.Is(stop, context.DeadlineExceeded) {
		err = errors.Join(err, fmt.Errorf("wsx: stopping Fiber: %w", stop))
	}
	_ = ln.Close() // Fiber knows it only once it serves, which the signal may have come before
	select {
	case serveErr := <-served:
		if !errors.Is(serveErr, net.ErrClosed) {
			err = errors.Join(err, serveErr)
		}
	case <-ctx.Done(): // a request that does not end
	}
	return err
}

// servable returns what there is to serve that is nil.
func servable(app *fiber.App, hubs []*hub.Hub) error {
	switch {
	case app == nil:
		return errors.New("wsx: there is no app to serve: it is nil")
	case slices.Contains(hubs, nil):
		return errors.New("wsx: a hub is nil: give every hub that wsx.New was given, and no other")
	default:
		return nil
	}
}

// drain shuts the hubs down one after the other; a signal ends the waiting.
func drain(signals <-chan os.Signal, hubs []*hub.Hub) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-signals:
			slog.Warn("wsx: second signal, cutting the shutdown short")
			cancel()
		case <-over:
		}
	}()
	var errs []error
	for _, h := range hubs {
		if err := h.Shutdown(ctx); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// setTimeouts gives the server the limits that it lacks: without them one slow client a connection costs nothing to
// send and is held for ever.
func setTimeouts(s *fasthttp.Server) {
	s.SecureErrorLogMessage = true // the text of a parse error holds the request, and with it tokens
	var set []any
	if s.ReadTimeout == 0 {
		s.ReadTimeout = readTimeout
		set = append(set, "read", readTimeout)
		if s.HeaderReceived == nil {
			s.HeaderReceived = func(*fasthttp.RequestHeader) fasthttp.RequestConfig {
				return fasthttp.RequestConfig{ReadTimeout: bodyTimeout}
			}
			set = append(set, "body", bodyTimeout)
		}
	}
	if s.IdleTimeout == 0 {
		s.IdleTimeout = idleTimeout
		set = append(set, "idle", idleTimeout)
	}
	if set != nil {
		slog.Info("wsx: the app has no timeouts of its own, so these are set", set...)
	}
}
