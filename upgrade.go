package wsx

import (
	"bufio"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/fiberwsx/wsx/hub"
)

// handshakeTimeout is how long the client may take to receive the answer.
const handshakeTimeout = 5 * time.Second

// upgrade takes the connection over from fasthttp. The answer is written by the hijack handler itself: fasthttp calls
// that one in any case then, and not only after a response that went well.
func (g *gate) upgrade(c *fiber.Ctx, a *admission) error {
	params, err := routeParams(c)
	if err != nil {
		a.slot.release()
		return g.answer(c, refuse(fiber.StatusBadRequest, "invalid path", err.Error()))
	}
	locals, err := g.bind(c, locals(c))
	if err != nil {
		a.slot.release()
		return g.answer(c, err)
	}
	r := hub.Request{
		Head:         requestHead(c),
		Params:       params,
		Locals:       locals,
		Identity:     a.identity,
		Authenticate: g.renew,
		Subprotocol:  a.subprotocol,
		Refusal:      a.refusal,
		Extensions:   a.extensions,
		IP:           addressText(a.addr),
		Reservation:  a.slot.reservation,
		Over:         a.slot.release,
	}
	if a.unknown {
		r.AuthFirst, r.Authenticate = true, g.introduced(a)
	}
	loan := a.slot.lend()
	accept := acceptKey(a.key)
	ctx := c.Context()
	ctx.SetStatusCode(fiber.StatusSwitchingProtocols)
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(nc net.Conn) {
		conn := newHijacked(nc)
		returned := false
		defer func() { conn.forget(returned) }()
		if err := respond(conn, &ctx.Response, accept, &r); err != nil {
			g.log.Debug("websocket handshake not answered", "error", err)
			r.Over()
		} else {
			loan.over()
			_ = g.cfg.Hub.Serve(conn, r)
		}
		returned = true
	})
	return nil
}

// bind adds what Config.Bind makes of the request to the locals.
func (g *gate) bind(c *fiber.Ctx, locals map[string]any) (map[string]any, error) {
	if g.cfg.Bind == nil {
		return locals, nil
	}
	v, err := g.cfg.Bind(c)
	if err = loggable(err); err != nil {
		return nil, refuse(fiber.StatusBadRequest, "invalid request data", "Config.Bind: "+err.Error())
	}
	if locals == nil {
		locals = make(map[string]any, 1)
	}
	locals[boundSlot] = v
	return locals, nil
}

// requestHead copies the request as it was received; the request line is put together again.
func requestHead(c *fiber.Ctx) []byte {
	h := &c.Request().Header
	b := make([]byte, 0, len("GET  HTTP/1.1\r\n")+len(h.RequestURI())+len(h.RawHeaders()))
	b = append(append(append(b, "GET "...), h.RequestURI()...), " HTTP/1.1\r\n"...)
	return append(b, h.RawHeaders()...)
}

// respond writes the 101 with the headers that other handlers have set. When one of them has made another response of
// it, an error handler for example, that one is written, and the error says so.
func respond(nc *hijacked, resp *fasthttp.Response, accept string, r *hub.Request) error {
	if resp.StatusCode() != fiber.StatusSwitchingProtocols {
		return respondOtherwise(nc, resp)
	}
	b := make([]byte, 0, 256)
	b = append(b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	b = append(append(b, accept...), "\r\n"...)
	if r.Subprotocol != "" {
		b = append(append(append(b, "Sec-WebSocket-Protocol: "...), r.Subprotocol...), "\r\n"...)
	}
	if r.Extensions != "" {
		b = append(append(append(b, "Sec-WebSocket-Extensions: "...), r.Extensions...), "\r\n"...)
	}
	resp.Header.VisitAll(func(name, value []byte) {
		if !belongsToHandshake(name) {
			b = append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
		}
	})
	b = append(b, "\r\n"...)
	if b = b[writeNow(nc.socket, b):]; len(b) == 0 {
		return nil
	}
	if err := nc.SetWriteDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	_, err := nc.Write(b) // every further write sets a deadline of its own
	return err
}

// respondOtherwise writes what another handler has made of the response.
func respondOtherwise(nc net.Conn, resp *fasthttp.Response) error {
	if err := nc.SetWriteDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	w := bufio.NewWriter(nc)
	resp.SetConnectionClose()
	if err := resp.Write(w); err != nil {
		return err
	}
	_ = w.Flush()
	return fmt.Errorf("answered with %d by another handler", resp.StatusCode())
}

// belongsToHandshake reports whether a response header is the middleware's own, or says something of a body, which a
// 101 has none of.
func belongsToHandshake(name []byte) bool {
	return slices.ContainsFunc(handshakeHeaders, func(own string) bool { return strings.EqualFold(string(name), own) })
}

var handshakeHeaders = []string{
	"Upgrade", "Connection", "Content-Type", "Content-Length", "Transfer-Encoding", "Trailer",
	"Sec-WebSocket-Accept", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Sec-WebSocket-Version",
}

// hijacked is the connection that fasthttp gives up. Its Close reaches the socket, which fasthttp's own does not; reads
// go through fasthttp's buffer, where the client's first frames may be already.
type hijacked struct {
	net.Conn // fasthttp's, which it uses again as soon as the hijack handler has returned

	mu     sync.RWMutex // calls of the socket hold it for reading: one that closes TLS may take long, and others go on
	socket net.Conn     // nil when fasthttp has it back
}

func newHijacked(nc net.Conn) *hijacked {
	socket := nc
	if u, ok := nc.(interface{ UnsafeConn() net.Conn }); ok {
		socket = u.UnsafeConn()
	}
	return &hijacked{Conn: nc, socket: socket}
}

// UnsafeConn returns the socket, under the name that fasthttp has for it: the hub goes on with that where it can.
func (h *hijacked) UnsafeConn() net.Conn {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.socket
}

// Close closes the socket. fasthttp closes it again, which its wrapper for MaxConnsPerIP does not survive; that one
// only gets its calls ended.
func (h *hijacked) Close() error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	switch {
	case h.socket == nil:
		return net.ErrClosed
	case isCounted(h.socket):
		return h.socket.SetDeadline(time.Unix(1, 0))
	default:
		return h.socket.Close()
	}
}

// CloseWrite ends the sending half of the socket, where it has two.
func (h *hijacked) CloseWrite() error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if half, ok := h.socket.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return net.ErrClosed
}

// forget makes sure that no late call reaches a socket that is fasthttp's again. After runtime.Goexit in a callback
// fasthttp does not come back to it, and the last close is due here.
func (h *hijacked) forget(returned bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !returned && isCounted(h.socket) {
		_ = h.socket.Close()
	}
	h.socket = nil
}

// isCounted reports whether nc is the wrapper that fasthttp counts with for MaxConnsPerIP.
func isCounted(nc net.Conn) bool {
	t := reflect.TypeOf(nc)
	return t != nil && strings.HasPrefix(t.String(), "*fasthttp.perIP")
}
