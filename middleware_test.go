package wsx_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/wsxtest"
)

func newRequest(path string) *http.Request {
	return httptest.NewRequest(http.MethodGet, path, nil)
}

func TestEcho(t *testing.T) {
	addr, _ := serveEcho(t, wsx.Config{})
	c := wsxtest.Dial(t, "ws://"+addr+"/ws")
	for _, s := range []string{"", "hello", "häßlich"} {
		c.SendText(s)
		if got := c.ReadText(); got != s {
			t.Errorf("got %q, want %q", got, s)
		}
	}
	c.Close()
}

func TestPassesWhatIsNoUpgrade(t *testing.T) {
	app := newApp()
	app.Use(wsx.New(wsx.Config{Hub: echoHub()}))
	app.Get("/", func(c *fiber.Ctx) error { return c.SendString("plain") })
	resp, err := app.Test(newRequest("/"))
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Errorf("got %s", resp.Status)
	}
}
