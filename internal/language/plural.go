package language

// The plural rules of CLDR for whole numbers. Each returns the index of a form.

// onePlural is for languages with one form.
func onePlural(int64) int { return 0 }

// twoPlurals distinguishes 1 from other numbers.
func twoPlurals(n int64) int {
	if n == 1 {
		return 0
	}
	return 1
}

// frenchPlurals treats 0 like 1, as in French and Brazilian Portuguese.
func frenchPlurals(n int64) int {
	if n <= 1 {
		return 0
	}
	return 1
}

// eastSlavicPlurals is for Russian and Ukrainian: 1, 2 to 4, others.
func eastSlavicPlurals(n int64) int {
	switch {
	case n%10 == 1 && n%100 != 11:
		return 0
	case n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14):
		return 1
	default:
		return 2
	}
}

// polishPlurals is for Polish: exactly 1, 2 to 4, others.
func polishPlurals(n int64) int {
	switch {
	case n == 1:
		return 0
	case n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14):
		return 1
	default:
		return 2
	}
}

// arabicPlurals is for Arabic: 1, 2, 3 to 10, 11 to 99, others.
func arabicPlurals(n int64) int {
	switch {
	case n == 1:
		return 0
	case n == 2:
		return 1
	case n%100 >= 3 && n%100 <= 10:
		return 2
	case n%100 >= 11:
		return 3
	default:
		return 4
	}
}
