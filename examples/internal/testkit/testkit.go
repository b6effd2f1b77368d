// Package testkit is what the tests of the examples share: a server on a real socket, waiting, the goroutines that are
// no leak, and tabs of a browser. Nothing of it belongs into a copy of an example.
package testkit

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"
)

// Patience is how long a test waits for something that must happen.
const Patience = 20 * time.Second

// VerifyMain runs the tests and fails when one of them has left a goroutine behind, those of Fiber excepted.
func VerifyMain(m goleak.TestingM) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),    // once a process, for ever
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"), // ends some seconds later
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v2/utils.StartTimeStampUpdater.func1.1"),
	)
}

// Eventually waits until a condition holds, and fails the test when that takes longer than [Patience].
func Eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(Patience); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// Serve serves an app at an address, "127.0.0.1:0" for a free one, until the test ends or stop is called; then end is
// called first, to end the connections that HTTP knows nothing of. It returns when the app answers.
func Serve(t *testing.T, app *fiber.App, address string, end func(context.Context) error) (at string, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(ln) }()
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		err := end(ctx)
		http.DefaultClient.CloseIdleConnections()
		if err = errors.Join(err, app.ShutdownWithContext(ctx), <-served); err != nil {
			t.Errorf("stopping the server: %v", err)
		}
	})
	t.Cleanup(stop)
	at = ln.Addr().String()
	Eventually(t, "the server answers", func() bool { // before that, nothing would stop it
		response, err := http.Get("http://" + at + "/")
		if err == nil {
			_ = response.Body.Close()
		}
		return err == nil
	})
	return at, stop
}
