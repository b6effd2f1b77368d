package wsx_test

import (
	"net/http"
	"testing"

	"github.com/fiberwsx/wsx"
)

// TestPlacesOfATokenAreReadStrictly puts one token where it stands, and where only a sloppy reader would find it.
func TestPlacesOfATokenAreReadStrictly(t *testing.T) {
	addr, h := serveEcho(t, wsx.Config{
		Auth:        byMarker,
		TokenLookup: "header:Authorization,cookie:__Host-token,query:token,protocol:wsx.bearer",
	})
	places := placesOfAToken()
	refused, accepted := 0, 0
	for name, row := range places {
		got := status(t, addr, row.request)
		if got != row.status {
			t.Errorf("%s: got %d, want %d", name, got, row.status)
		}
		if got == http.StatusSwitchingProtocols {
			accepted++
		} else {
			refused++
		}
	}
	eventually(t, "the accepted are over", func() bool { return h.Stats().Closed == uint64(accepted) && h.Len() == 0 })
	t.Logf("%d requests with a token in a wrong place refused, %d in a right one accepted", refused, accepted)
	if refused < 40 || accepted < 10 {
		t.Errorf("%d refused, %d accepted", refused, accepted)
	}
}

type placeOfAToken struct {
	request string
	status  int
}

func placesOfAToken() map[string]placeOfAToken {
	const good, bad = goodToken, badToken
	header := func(status int, fields ...string) placeOfAToken {
		return placeOfAToken{handshake("/ws", fields...), status}
	}
	query := func(status int, q string) placeOfAToken { return placeOfAToken{handshake("/ws?" + q), status} }
	return map[string]placeOfAToken{
		"cookie":                          header(101, "+Cookie: __Host-token="+good),
		"cookie among others":             header(101, "+Cookie: a=b; __Host-token="+good+";c; =d"),
		"cookie in quotes":                header(101, `+Cookie: __Host-token="`+good+`"`),
		"cookie twice the same":           header(101, "+Cookie: __Host-token="+good, "+Cookie: __Host-token="+good),
		"cookie behind U+00A0":            header(401, "+Cookie: \u00a0__Host-token="+good),
		"cookie behind U+2000":            header(401, "+Cookie: \u2000__Host-token="+good),
		"cookie behind U+3000":            header(401, "+Cookie: a=b; \u3000__Host-token="+good),
		"cookie behind U+0085":            header(401, "+Cookie: \u0085__Host-token="+good),
		"cookie behind the byte 0xa0":     header(401, "+Cookie: \xa0__Host-token="+good),
		"cookie behind U+FEFF":            header(401, "+Cookie: \ufeff__Host-token="+good),
		"cookie before U+00A0":            header(400, "+Cookie: __Host-token="+good+"\u00a0"),
		"cookie behind a form feed":       header(400, "+Cookie: \f__Host-token="+good),
		"cookie with a space behind":      header(401, "+Cookie: __Host-token ="+good),
		"cookie with a space in front":    header(400, "+Cookie: __Host-token= "+good),
		"cookie in another case":          header(401, "+Cookie: __host-Token="+good),
		"cookie with a quote in front":    header(401, `+Cookie: __Host-token="`+good),
		"cookie with a quote behind":      header(401, `+Cookie: __Host-token=`+good+`"`),
		"cookie in two pairs of quotes":   header(401, `+Cookie: __Host-token=""`+good+`""`),
		"cookie with an escape":           header(401, "+Cookie: __Host-token=%73"+good[1:]),
		"cookie with an escape in it":     header(401, "+Cookie: __Host%2Dtoken="+good),
		"cookie behind a comma":           header(401, "+Cookie: a=b,__Host-token="+good),
		"cookie in a cookie":              header(401, "+Cookie: a=__Host-token="+good),
		"cookie in quotes in a cookie":    header(401, `+Cookie: a="__Host-token=`+good+`"`),
		"cookie of another":               header(401, "+Cookie: token="+good),
		"cookie with a longer name":       header(401, "+Cookie: x__Host-token="+good),
		"cookie in Set-Cookie":            header(401, "+Set-Cookie: __Host-token="+good),
		"cookie in Cookie2":               header(401, "+Cookie2: __Host-token="+good),
		"cookies that differ":             header(400, "+Cookie: __Host-token="+good+"; __Host-token="+bad),
		"cookies that differ, two lines":  header(400, "+Cookie: __Host-token="+good, "+cookie: __Host-token="+bad),
		"header":                          header(101, "+Authorization: Bearer "+good),
		"header in another case":          header(101, "+aUTHORIZATION: bEARER "+good),
		"header with spaces":              header(101, "+Authorization: \t Bearer   "+good+" \t"),
		"header beside another scheme":    header(101, "+Authorization: Basic eDp5", "+Authorization: Bearer "+good),
		"header and cookie":               header(101, "+Authorization: Bearer "+good, "+Cookie: __Host-token="+good),
		"header with a tab":               header(401, "+Authorization: Bearer\t"+good),
		"header with a tab and a space":   header(400, "+Authorization: Bearer \t"+good),
		"header without a scheme":         header(401, "+Authorization: "+good),
		"header of another scheme":        header(401, "+Authorization: Basic "+good),
		"header with a colon":             header(401, "+Authorization: Bearer: "+good),
		"header in quotes":                header(401, `+Authorization: Bearer "`+good+`"`),
		"header as a parameter":           header(401, "+Authorization: Bearer token="+good),
		"header with a comma":             header(401, "+Authorization: Bearer "+good+","),
		"header with a list":              header(400, "+Authorization: Bearer "+good+", Bearer "+good),
		"header behind another":           header(401, "+Authorization: Basic x, Bearer "+good),
		"header with U+00A0":              header(401, "+Authorization: Bearer\u00a0"+good),
		"headers that differ":             header(400, "+Authorization: Bearer "+bad, "+Authorization: Bearer "+good),
		"header and cookie that differ":   header(400, "+Authorization: Bearer "+good, "+Cookie: __Host-token="+bad),
		"Proxy-Authorization":             header(401, "+Proxy-Authorization: Bearer "+good),
		"X-Authorization":                 header(401, "+X-Authorization: Bearer "+good),
		"identity of a proxy":             header(401, "+X-Forwarded-User: ann", "+X-User-Id: ann", "+X-Remote-User: ann"),
		"query":                           query(101, "token="+good),
		"query among others":              query(101, "a=b&token="+good+"&c"),
		"query with an escape":            query(101, "to%6ben=%73"+good[1:]),
		"query twice, once empty":         query(101, "token=&token="+good),
		"query in another case":           query(401, "Token="+good),
		"query as a list":                 query(401, "token[]="+good),
		"query behind a semicolon":        query(401, "a=b;token="+good),
		"query in a value":                query(401, "a=b%26token="+good),
		"query with an escape too much":   query(401, "token=%2573"+good[1:]),
		"query with NUL":                  query(400, "token="+good+"%00"),
		"query with a line":               query(400, "token="+good+"%0d%0aX: y"),
		"query with a plus":               query(400, "token=+"+good),
		"queries that differ":             query(400, "token="+good+"&token="+bad),
		"a form's field":                  header(401, "+Content-Type: application/x-www-form-urlencoded", "+Content-Length: 0"),
		"subprotocol":                     header(101, "+Sec-WebSocket-Protocol: wsx.v1, wsx.bearer."+good),
		"subprotocol in a second line":    header(101, "+Sec-WebSocket-Protocol: wsx.v1", "+Sec-WebSocket-Protocol: wsx.bearer."+good),
		"subprotocol in another case":     header(401, "+Sec-WebSocket-Protocol: wsx.v1, WSX.Bearer."+good),
		"subprotocol without the dot":     header(401, "+Sec-WebSocket-Protocol: wsx.v1, wsx.bearer"+good),
		"subprotocol with two dots":       header(401, "+Sec-WebSocket-Protocol: wsx.v1, wsx.bearer.."+good),
		"subprotocol with a space":        header(400, "+Sec-WebSocket-Protocol: wsx.v1, wsx.bearer. "+good),
		"subprotocol twice":               header(400, "+Sec-WebSocket-Protocol: wsx.bearer."+good+", wsx.bearer."+good),
		"subprotocols that differ":        header(400, "+Sec-WebSocket-Protocol: wsx.bearer."+good+", wsx.bearer."+bad),
		"subprotocol and query":           {handshake("/ws?token="+bad, "+Sec-WebSocket-Protocol: wsx.bearer."+good), 400},
		"subprotocol of another's header": header(401, "+Sec-WebSocket-Extensions: wsx.bearer."+good),
	}
}
