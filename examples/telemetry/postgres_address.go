package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// parsePostgres reads the address of a server. Its errors tell nothing of a text that is no URL: there is no knowing
// where in it the password is.
func parsePostgres(db string) (*pgxpool.Config, error) {
	const want = "-db wants an address like postgres://USER@HOST:PORT/NAME"
	u, err := url.Parse(db)
	if err != nil {
		return nil, errors.New(want + ", with %XX for what is special in a password; or keep the password in PGPASSWORD")
	}
	cfg, err := pgxpool.ParseConfig(db)
	if err != nil {
		why := errors.Unwrap(err)
		for why != nil && errors.Unwrap(why) != nil {
			why = errors.Unwrap(why)
		}
		return nil, fmt.Errorf("%s: %s", want, withoutPassword(cmp.Or(why, err), u))
	}
	if cfg.ConnConfig.ConnectTimeout <= 0 || !u.Query().Has("connect_timeout") {
		cfg.ConnConfig.ConnectTimeout = dialTime
	}
	return cfg, nil
}

// withoutPassword is the text of an error on one line, with stars for the password that a URL holds.
func withoutPassword(err error, u *url.URL) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	given, _ := u.User.Password()
	for _, password := range []string{given, url.QueryEscape(given), url.PathEscape(given), u.Query().Get("password")} {
		if password != "" {
			text = strings.ReplaceAll(text, password, "***")
		}
	}
	return text
}

// explain says in a sentence why the database cannot be opened.
func explain(cfg *pgx.ConnConfig, err error) error {
	address := net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port)))
	if strings.HasPrefix(cfg.Host, "/") {
		address = cfg.Host
	}
	var answer *pgconn.PgError
	var network *net.OpError
	switch {
	case errors.As(err, &answer) && strings.HasPrefix(answer.Code, "28"): // the class of invalid authorization
		return fmt.Errorf("the database at %s refuses the user %s: %s", address, cfg.User, answer.Message)
	case answer != nil:
		return fmt.Errorf("the database at %s answers: %s (SQLSTATE %s)", address, answer.Message, answer.Code)
	case errors.As(err, &network):
		return fmt.Errorf("no database answers at %s: %w", address, network.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no database answers at %s in time", address)
	}
	return fmt.Errorf("the database at %s: %s", address, strings.Join(strings.Fields(err.Error()), " "))
}
