package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func listChecks() []check {
	return []check{{"Filters", listFilters}, {"Pages", listPages}}
}

// list reads all pages and returns the IDs as they came. It checks the bounds of
// each page.
func list(t *testing.T, store authcore.Store, filter authcore.UserFilter, cursor string) []string {
	t.Helper()
	limit := filter.Limit
	if limit == 0 {
		limit = 100
	}
	var ids []string
	for range 10_000 {
		users, next, err := store.Users(t.Context(), filter, cursor)
		if err != nil || len(users) > min(limit, 1000) {
			t.Fatalf("Users(%+v, %q) = %d users, error %v, want at most %d", filter, cursor, len(users), err, limit)
		}
		for _, user := range users {
			ids = append(ids, user.ID)
		}
		if next == "" {
			return ids
		}
		cursor = next
	}
	t.Fatalf("Users(%+v) does not end", filter)
	return nil
}

func listPages(t *testing.T, store authcore.Store) {
	var want []string
	var items []authcore.Item
	for i := range 1100 {
		user := newUser(fmt.Sprintf("user%d@example.com", i))
		items, want = append(items, authcore.Item{User: &user}), append(want, user.ID)
	}
	slices.Sort(want)
	wantImported(t, store, items, len(items))
	for _, limit := range []int{0, 7, 99, 100, 1000, 1100, 5000} {
		if got := list(t, store, authcore.UserFilter{Limit: limit}, ""); !slices.Equal(got, want) {
			t.Errorf("Users with limit %d = %d users, want each of %d once, by ID", limit, len(got), len(want))
		}
	}
	if got := list(t, store, authcore.UserFilter{EmailPrefix: "user777@", Limit: 10}, ""); len(got) != 1 {
		t.Errorf("Users with a rare prefix = %q, want one", got)
	}
	users, cursor, err := store.Users(t.Context(), authcore.UserFilter{Limit: 5}, "") // the last of them is deleted
	if err != nil || len(users) == 0 {
		t.Fatalf("Users = %d users, error %v, want some", len(users), err)
	}
	last := users[len(users)-1].ID
	wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), last, revokeUser(last)), nil)
	if rest := list(t, store, authcore.UserFilter{}, cursor); !slices.Equal(rest, want[len(users):]) {
		t.Errorf("Users after a deleted user = %d users, want %d", len(rest), len(want)-len(users))
	}
}

func listFilters(t *testing.T, store authcore.Store) {
	users := make(map[string]authcore.User)
	emails := []string{
		"ada@example.com", "Ada.L@example.com", "adam@example.org", "a_b@example.com", "axb@example.com", "a%b@example.com",
		"grace@sub.example.com", "eve@notexample.com", "ida@xn--bcher-kva.example", "",
	}
	for i, email := range emails {
		for _, verified := range []bool{true, false} {
			user := newUser(email)
			user.EmailVerified = verified && email != ""
			user.Disabled = i%3 == 0
			user.Roles = [][]string{nil, {"admin"}, {"admin", "editor"}, {"administrator"}}[i%4]
			user.Created, user.LastLogin = at(-time.Duration(i)*day), at(-time.Duration(i)*time.Hour)
			if i == 9 {
				user.LastLogin = time.Time{}
			}
			account := signUp(t, store, authcore.Account{User: user})
			users[user.ID] = account.User
		}
	}
	filters := []authcore.UserFilter{
		{CreatedFrom: at(-3 * day)},
		{CreatedTo: at(-3 * day)},
		{CreatedFrom: at(-5 * day), CreatedTo: at(-2 * day)},
		{LastLoginFrom: at(-3 * time.Hour)},
		{LastLoginTo: at(-3 * time.Hour)},
		{LastLoginFrom: at(-5 * time.Hour), LastLoginTo: at(-2 * time.Hour)},
		{EmailPrefix: "a", Domain: "example.com", Role: "admin", Disabled: new(bool), CreatedFrom: at(-5 * day), LastLoginTo: start},
	}
	for _, prefix := range []string{"", "ada", "ada@example.com", "Ada", "a_", "a%", `a\`} {
		filters = append(filters, authcore.UserFilter{EmailPrefix: prefix})
	}
	for _, domain := range []string{"example.com", "xn--bcher-kva.example", "com"} {
		filters = append(filters, authcore.UserFilter{Domain: domain})
	}
	for _, role := range []string{"admin", "adm", "auditor"} {
		filters = append(filters, authcore.UserFilter{Role: role})
	}
	for _, disabled := range []bool{true, false} {
		filters = append(filters, authcore.UserFilter{Disabled: &disabled})
	}
	for _, filter := range filters {
		var want []string
		for id, user := range users {
			if matches(filter, user) {
				want = append(want, id)
			}
		}
		slices.Sort(want)
		for _, limit := range []int{0, 3} {
			filter.Limit = limit
			if got := list(t, store, filter, ""); !slices.Equal(got, want) {
				t.Errorf("Users(%s) = %q, want %q", plain(filter), got, want)
			}
		}
	}
}

// matches states the meaning of a filter.
func matches(f authcore.UserFilter, u authcore.User) bool {
	within := func(from, to, t time.Time) bool { return !t.Before(from) && (to.IsZero() || t.Before(to)) }
	_, domain, _ := strings.Cut(u.EmailKey(), "@")
	return strings.HasPrefix(u.EmailKey(), f.EmailPrefix) &&
		(f.Domain == "" || f.Domain == domain) &&
		(f.Role == "" || slices.Contains(u.Roles, f.Role)) &&
		(f.Disabled == nil || *f.Disabled == u.Disabled) &&
		within(f.CreatedFrom, f.CreatedTo, u.Created) && within(f.LastLoginFrom, f.LastLoginTo, u.LastLogin)
}
