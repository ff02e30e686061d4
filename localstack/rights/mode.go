package rights

import "fmt"

// Mode is what becomes of a request that no statement allows. The zero value is invalid.
type Mode uint8

const (
	_       Mode = iota
	Enforce      // refused, as on AWS
	Record       // let through, and remembered
	Off          // functions speak to the stand-ins themselves
)

var modes = map[Mode]string{Enforce: "enforce", Record: "record", Off: "off"}

func (m Mode) String() string { return modes[m] }

// ParseMode reads enforce, record or off.
func ParseMode(name string) (Mode, error) {
	for m, n := range modes {
		if n == name {
			return m, nil
		}
	}
	return 0, fmt.Errorf("rights: there is no mode %q, only enforce, record and off", name)
}
