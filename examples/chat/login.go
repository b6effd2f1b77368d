package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/hub"
	"github.com/gofiber/fiber/v2"
)

// tokenLife is for how long a token is good. The page renews it in time; who is away for longer logs in again.
const tokenLife = 15 * time.Minute

// claimModerator is true in the token of a moderator.
const claimModerator = "moderator"

// credentials are the body of POST /login. Here belongs what proves who somebody is.
type credentials struct {
	Name string `json:"name"`
	Code string `json:"code"` // of a moderator; "" for everybody else
}

// session is what /login and /renew answer.
type session struct {
	Name      string `json:"name"`
	Moderator bool   `json:"moderator"`
	Token     string `json:"token"`
	ExpiresIn int64  `json:"expires_in_ms"`
}

// login begins a session under a name that nobody has.
func (s *server) login(c *fiber.Ctx) error {
	// c.IP may be a part of the request, which is used again for another one.
	if ok, wait := s.logins.Allow(time.Now(), strings.Clone(c.IP())); !ok {
		c.Set(fiber.HeaderRetryAfter, seconds(wait))
		return fiber.NewError(fiber.StatusTooManyRequests, "too many logins; wait a moment")
	}
	var who credentials
	if err := json.Unmarshal(c.Body(), &who); err != nil {
		return fiber.NewError(fiber.StatusBadRequest, "not a login")
	}
	name, err := cleanName(who.Name)
	if err != nil {
		return fiber.NewError(fiber.StatusBadRequest, err.Error())
	}
	moderator := who.Code != ""
	if moderator && subtle.ConstantTimeCompare([]byte(who.Code), []byte(s.code)) != 1 {
		return fiber.NewError(fiber.StatusForbidden, "not the moderators' code")
	}
	id := auth.Identity{Subject: name, ID: rand.Text(), Claims: map[string]any{claimModerator: moderator}}
	return s.begin(c, id)
}

// renew goes on with a session under a new token.
func (s *server) renew(c *fiber.Ctx) error {
	id, err := s.known(c)
	if err != nil {
		return err
	}
	return s.begin(c, id)
}

// begin answers with a token for the session id.ID, if that can have the name.
func (s *server) begin(c *fiber.Ctx, id auth.Identity) error {
	switch err := s.names.hold(id.Subject, id.ID, time.Now()); {
	case errors.Is(err, errNameTaken):
		return fiber.NewError(fiber.StatusConflict, err.Error())
	case err != nil:
		return fiber.NewError(fiber.StatusServiceUnavailable, err.Error())
	}
	moderator, _ := id.Claims[claimModerator].(bool)
	token, err := jwt.Sign(s.key, jwt.Claims{
		Subject: id.Subject, ID: id.ID, Expires: time.Now().Add(tokenLife), Extra: map[string]any{claimModerator: moderator},
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(session{id.Subject, moderator, token, tokenLife.Milliseconds()})
}

// logout ends a session: its connections, its token, and its hold on the name.
func (s *server) logout(c *fiber.Ctx) error {
	id, err := s.known(c)
	if err != nil {
		return err
	}
	s.names.free(id.Subject, id.ID, time.Now())
	if _, err := s.hub.Revoke(hub.Revocation{ID: id.ID, Until: time.Now().Add(tokenLife)}); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// known returns whose request it is: that of the token in its Authorization header.
func (s *server) known(c *fiber.Ctx) (auth.Identity, error) {
	token, _ := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	id, err := s.tokens.Authenticate(c.Context(), token)
	if err != nil || s.hub.Revoked(id) {
		return auth.Identity{}, fiber.NewError(fiber.StatusUnauthorized, "log in first")
	}
	return id, nil
}

// mayEnter lets a token be used while its session has the name: not after another one has taken it.
func (s *server) mayEnter(_ *fiber.Ctx, id auth.Identity) error {
	return s.names.hold(id.Subject, id.ID, time.Now())
}
