package redis

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Bounds of [Store.Users].
const (
	defaultPage = 100
	maxPage     = 1000
)

// Users lists users. See [authcore.Accounts]. The cursor is the last ID examined. A
// filter is applied to maxPage users for each call, about 2 ms of the server's time:
// a filter that matches few of a million users takes 1,000 calls.
func (s *Store) Users(ctx context.Context, filter authcore.UserFilter, cursor string) ([]authcore.User, string, error) {
	limit := filter.Limit
	if limit <= 0 {
		limit = defaultPage
	}
	limit = min(limit, maxPage)
	filter.Limit = 0
	examine := maxPage
	if filter == (authcore.UserFilter{}) {
		examine = limit
	}
	value, err := s.run(ctx, "users", []string{s.key("shards")}, s.prefix, cursor, strconv.Itoa(examine), "0")
	if err != nil {
		return nil, "", err
	}
	pairs := texts(value)
	var users []authcore.User
	for i := 0; i+1 < len(pairs); i += 2 {
		var user authcore.User
		if json.Unmarshal([]byte(pairs[i+1]), &user) != nil || !matches(filter, user) {
			continue
		}
		if users = append(users, user); len(users) == limit {
			return users, pairs[i], nil
		}
	}
	if len(pairs) < 2*examine {
		return users, "", nil
	}
	return users, pairs[len(pairs)-2], nil
}

func matches(filter authcore.UserFilter, user authcore.User) bool {
	key := user.EmailKey()
	within := func(at, from, to time.Time) bool {
		return (from.IsZero() || !at.Before(from)) && (to.IsZero() || at.Before(to))
	}
	switch {
	case filter.EmailPrefix != "" && !(key != "" && strings.HasPrefix(key, filter.EmailPrefix)),
		filter.Domain != "" && !strings.HasSuffix(key, "@"+filter.Domain),
		filter.Role != "" && !slices.Contains(user.Roles, filter.Role),
		filter.Disabled != nil && *filter.Disabled != user.Disabled:
		return false
	}
	return within(user.Created, filter.CreatedFrom, filter.CreatedTo) &&
		within(user.LastLogin, filter.LastLoginFrom, filter.LastLoginTo)
}
