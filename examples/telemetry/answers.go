package main

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	"github.com/gofiber/fiber/v2"
)

// maxLong is how many long answers may be under way at once, and a megabyte or so is each.
const maxLong = 16

// turns bounds the long answers: whoever asks for many and reads none has them all in the server's memory.
type turns chan struct{}

// long answers with what get returns, as JSON. It waits for its turn, which is over when the client has the answer.
func (t turns) long(c *fiber.Ctx, get func(context.Context) (any, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), queryTime)
	defer cancel()
	select {
	case t <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	body := &longBody{over: sync.OnceFunc(func() { <-t })}
	v, err := get(ctx)
	if err == nil {
		var data []byte
		data, err = json.Marshal(v)
		body.Reset(data)
	}
	if err != nil {
		_ = body.Close()
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	c.Context().SetBodyStream(body, body.Len())
	return nil
}

// longBody is an answer that is told when it is written, or given up.
type longBody struct {
	bytes.Reader
	over func()
}

// Close is called by the HTTP server.
func (b *longBody) Close() error {
	b.over()
	return nil
}
