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
	{"revocation: in the handshake", "token.go", `if g.cfg.Hub != nil && g.cfg.Hub.Revoked(a.identity) {`, `if false {`, ".", "^TestRevokedTokens"},
	{"renewal: the same subject", "hub/login.go", `case id.Subject != c.Subject():`, `case false:`, "./hub", "^TestTokensThatAreNot"},
	{"renewal: not over already", "hub/login.go", `case !id.Expires.IsZero() && !time.Now().Before(id.Expires):`, `case false:`, "./hub", "^TestTokensThatAreNot"},
	{"renewal: a token that can be one", "hub/login.go", `if err := auth.CheckToken(token); err != nil {`, `if err := auth.CheckToken(token); err != nil && false {`, "./hub", "^TestTokensThatAreNot"},
	{"renewal: a bad one closes", "hub/login.go", `_ = c.Close(ws.StatusAuthFailed, "authentication failed")`, `_ = ws.StatusAuthFailed`, "./hub", "^TestTokensThatAreNot"},
	{"renewal: so often and no more", "hub/login.go", `if !c.login.bucket.Allow(time.Now(), authRate) {`, `if false {`, "./hub", "^TestRenewalsAreLimited"},
	{"renewal: reaches no handler", "hub/dispatch.go", `if c.login != nil && c.takeToken(t, payload) {`, `if c.login != nil && c.takeToken(t, payload) && false {`, "./hub", "^TestRenewalsReach"},
	{"renewal: the reason stays inside", "token.go", `return auth.Identity{}, errUnauthorized`, `return auth.Identity{}, errors.New(err.Error() + token)`, ".", "^TestRenewedTokens"},
}
