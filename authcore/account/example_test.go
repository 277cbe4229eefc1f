package account_test

import (
	"fmt"

	"github.com/edgeauth/edgeauth/authcore/account"
)

func ExampleRules_Admits() {
	rules := account.Rules{Allow: []string{"example.com"}, Deny: []string{"eve@example.com"}}
	rules.SetDefaults()
	if err := rules.Validate(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(rules.Admits(account.Email{Address: "ann@example.com", Verified: true}))
	fmt.Println(rules.Admits(account.Email{Address: "ann@example.com"}))
	fmt.Println(rules.Admits(account.Email{Address: "Eve+x@Example.com", Verified: true}))
	// Output:
	// true
	// false
	// false
}
