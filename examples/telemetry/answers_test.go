package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// TestLongAnswersTakeTurns, and give them back whatever becomes of the answer.
func TestLongAnswersTakeTurns(t *testing.T) {
	turns := make(turns, 1)
	app := fiber.New()
	app.Get("/:fail?", func(c *fiber.Ctx) error {
		return turns.long(c, func(context.Context) (any, error) {
			if len(turns) != 1 {
				t.Error("it has no turn")
			}
			if c.Params("fail") != "" {
				return nil, errors.New("no")
			}
			return []int{1, 2}, nil
		})
	})
	for _, row := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/", 200},
		{http.MethodHead, "/", 200},
		{http.MethodGet, "/fail", 500},
		{http.MethodGet, "/", 200},
	} {
		resp, err := app.Test(httptest.NewRequest(row.method, row.path, http.NoBody))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != row.status {
			t.Errorf("%s %s: %s", row.method, row.path, resp.Status)
		}
	}
	turns <- struct{}{} // somebody else's, so that an answer waits
	waited := make(chan error, 1)
	go func() {
		resp, err := app.Test(httptest.NewRequest(http.MethodGet, "/", http.NoBody))
		if err == nil {
			_ = resp.Body.Close()
		}
		waited <- err
	}()
	select {
	case <-waited:
		t.Error("it did not wait for its turn")
	case turns <- struct{}{}:
		t.Error("there are two turns")
	default:
	}
	<-turns
	if err := <-waited; err != nil {
		t.Error(err)
	}
}
