package main

// authGuards are about what happens to a token after the handshake.
var authGuards = []guard{
	{"expiry: closes with 4007", "hub/login.go", `_ = c.Close(ws.StatusTokenExpired, "token expired")`, `_ = ws.StatusTokenExpired`, "./hub", "^TestATokensEnd"},
	{"expiry: in their turn", "hub/expiry.go", `return h[i].end.Before(h[j].end)`, `return h[j].end.Before(h[i].end)`, "./hub", "^TestManyTokens"},
	{"expiry: what is renewed goes on", "hub/login.go", `c.login.renewed.Store(&id)`, `_ = &id`, "./hub", "^TestATokenIsRenewed"},
	{"revocation: closes what is open", "hub/revoke.go", "if c.Close(ws.StatusAuthFailed, \"token revoked\") == nil {", "if ws.StatusAuthFailed == 0 {", "./hub", "^TestRevoke"},
	{"revocation: whoever comes meanwhile", "hub/serve.go", "\tc.endIfRevoked()\n", "", "./hub", "^TestARevokedToken"},
	{"revocation: whoever renews", "hub/login.go", "\t\tc.endIfRevoked()\n", "", "./hub", "^TestARevokedToken"},
	{"revocation: newer tokens are good", "hub/revoke.go", `&& now.Before(r.until) && !id.Issued.After(r.at)`, `&& now.Before(r.until)`, "./hub", "^TestRevoke"},
	{"revocation: bounded", "hub/revoke.go", `&& !v.forgetLocked(now) {`, `&& !v.forgetLocked(now) && false {`, "./hub", "^TestRevocationsAreBounded"},
	{"revocation: in the handshake", "token.go", `if g.cfg.Hub != nil && g.cfg.Hub.Revoked(a.identity) {`, `if false {`, ".", "^TestRevokedTokens|^TestWhoGets"},
	{"ticket: good once", "auth/ticket.go", `id := t.removeLocked(e).identity`, `id := e.Value.(*ticket).identity`, "./auth", "^TestATicketIsGoodOnce"},
	{"ticket: good for seconds", "auth/ticket.go", `e != nil && !now.Before(e.Value.(*ticket).end); e = t.all.Front() {`, `e != nil && false; e = t.all.Front() {`, "./auth", "^TestATicketEnds"},
	{"ticket: at most 30 s", "auth/ticket.go", `case cfg.Lifetime < 0 || cfg.Lifetime > MaxTicketLife:`, `case false:`, "./auth", "^TestNewTicketsPanics"},
	{"ticket: not longer than the token", "auth/ticket.go", `if !id.Expires.IsZero() && !now.Before(id.Expires) {`, `if false {`, "./auth", "^TestATicketEnds"},
	{"ticket: bounded", "auth/ticket.go", `case t.all.Len() >= t.cfg.MaxTickets:`, `case false:`, "./auth", "^TestTicketsAreBounded"},
	{"ticket: bounded for a subject", "auth/ticket.go", `case t.held[id.Subject] >= t.cfg.PerSubject:`, `case false:`, "./auth", "^TestTicketsAreBounded"},
	{"ticket: the origin", "tickets.go", `if err := g.checkOrigin(c, &h); err != nil {`, `if err := g.checkOrigin(c, &h); err != nil && false {`, ".", "^TestWhoGetsATicket"},
	{"ticket: a POST", "tickets.go", `if c.Method() != fiber.MethodPost {`, `if false {`, ".", "^TestWhoGetsATicket"},
	{"ticket: not to be cached", "tickets.go", `c.Set(fiber.HeaderCacheControl, "no-store")`, `_ = c`, ".", "^TestATicketOpens"},
	{"identify: a subject that is one", "token.go", `err = auth.CheckSubject(a.identity.Subject)`, `_ = err`, ".", "^TestIdentify"},
	{"identify: copied", "token.go", `strings.Clone(a.identity.Subject), strings.Clone(a.identity.ID)`, `a.identity.Subject, a.identity.ID`, ".", "^TestIdentifiedSubjectsStay"},
	{"identify: \"*\"", "config.go", `if g.origins.AllowsAny() && cfg.Identify != nil {`, `if false {`, ".", "^TestNewPanics"},
	{"first message: within 5 s", "hub/stranger.go", `c.expireAt(time.Now().Add(introduction))`, `_ = introduction`, "./hub", "^TestStrangers$"},
	{"first message: 4 KiB", "hub/stranger.go", `c.wire.LimitMessage(maxIntroduction)`, `_ = maxIntroduction`, "./hub", "^TestStrangers$"},
	{"first message: with a token", "hub/login.go", `case !ok && c.stranger():`, `case false:`, "./hub", "^TestStrangers$"},
	{"first message: no handler before", "hub/dispatch.go", `if f == nil || c.stranger() {`, `if f == nil {`, "./hub", "^TestStrangers$"},
	{"first message: drained too", "hub/stranger.go", `all = append(all, c)
	}
	return all`, `_ = c
	}
	return all`, "./hub", "^TestStrangersCount"},
	{"first message: the subject's cap", "token.go", `if g.caps.subject(a) != nil {`, `if false {`, ".", "^TestFirstMessages"},
	{"first message: only without a token", "token.go", `if token == "" && g.cfg.FirstMessage {`, `if g.cfg.FirstMessage {`, ".", "^TestFirstMessages"},
	{"renewal: the same subject", "hub/login.go", `case id.Subject != c.Subject() && !c.stranger():`, `case false:`, "./hub", "^TestTokensThatAreNot"},
	{"renewal: not over already", "hub/login.go", `case !id.Expires.IsZero() && !time.Now().Before(id.Expires):`, `case false:`, "./hub", "^TestTokensThatAreNot"},
	{"renewal: a token that can be one", "hub/login.go", `if err := auth.CheckToken(token); err != nil {`, `if err := auth.CheckToken(token); err != nil && false {`, "./hub", "^TestTokensThatAreNot"},
	{"renewal: a bad one closes", "hub/login.go", `_ = c.Close(ws.StatusAuthFailed, "authentication failed")`, `_ = ws.StatusAuthFailed`, "./hub", "^TestTokensThatAreNot"},
	{"renewal: so often and no more", "hub/login.go", `if !c.login.bucket.Allow(time.Now(), authRate) {`, `if false {`, "./hub", "^TestRenewalsAreLimited"},
	{"renewal: reaches no handler", "hub/dispatch.go", `if c.login != nil && c.takeToken(t, payload) {`, `if c.login != nil && c.takeToken(t, payload) && false {`, "./hub", "^TestRenewalsReach"},
	{"renewal: the reason stays inside", "token.go", `return auth.Identity{}, errUnauthorized`, `return auth.Identity{}, errors.New(err.Error() + token)`, ".", "^TestRenewedTokens"},
}
