package ddb

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fairseat/fairseat/pkg/store"
)

type attributes = map[string]types.AttributeValue

var errUTF8 = errors.New("a string that is not UTF-8") // the wire would replace its bytes in silence

func (s *slab) item(it store.Item, key store.Key) (attributes, error) {
	m, err := s.encodeMap(it)
	if err != nil {
		return nil, err
	}
	m["pk"], m["sk"] = s.textOf(key.PK), s.textOf(key.SK)
	return m, nil
}

// encodeMap leaves empty sets out: the service has none.
func (s *slab) encodeMap(in map[string]any) (attributes, error) {
	m := s.blank(len(in) + 2)
	for name, v := range in {
		if set, ok := v.(store.Set); ok && len(set) == 0 {
			continue
		}
		if !utf8.ValidString(name) {
			return nil, errUTF8
		}
		av, err := s.encode(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m[name] = av
	}
	return m, nil
}

func (s *slab) encode(v any) (types.AttributeValue, error) {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return nil, errUTF8
		}
		return s.textOf(v), nil
	case int64:
		return s.numberOf(v), nil
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}, nil
	case []byte:
		return &types.AttributeValueMemberB{Value: append([]byte{}, v...)}, nil
	case store.Set:
		return encodeSet(v)
	case []any:
		return s.encodeList(v)
	case store.Texts:
		return s.encodeTexts(v)
	case store.Item:
		m, err := s.encodeMap(v)
		return &types.AttributeValueMemberM{Value: m}, err
	case map[string]any:
		m, err := s.encodeMap(v)
		return &types.AttributeValueMemberM{Value: m}, err
	}
	return nil, fmt.Errorf("a value of type %T", v)
}

// encodeSet sorts, so that one set is one request under a token.
func encodeSet(s store.Set) (types.AttributeValue, error) {
	if len(s) == 0 {
		return nil, errors.New("an empty set in a list")
	}
	if !slices.ContainsFunc(s, func(m string) bool { return !utf8.ValidString(m) }) {
		s = slices.Compact(slices.Sorted(slices.Values(s)))
		return &types.AttributeValueMemberSS{Value: s}, nil
	}
	return nil, errUTF8
}

func (s *slab) encodeList(l []any) (types.AttributeValue, error) {
	out := make([]types.AttributeValue, len(l))
	for i, x := range l {
		av, err := s.encode(x)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		out[i] = av
	}
	return &types.AttributeValueMemberL{Value: out}, nil
}

func (s *slab) encodeTexts(l store.Texts) (types.AttributeValue, error) {
	out := make([]types.AttributeValue, len(l))
	for i, v := range l {
		if !utf8.ValidString(v) {
			return nil, errUTF8
		}
		out[i] = s.textOf(v)
	}
	return &types.AttributeValueMemberL{Value: out}, nil
}

// decodeItem answers nil for no item.
func decodeItem(in attributes) (store.Item, error) {
	if len(in) == 0 {
		return nil, nil
	}
	m, err := decodeMap(in)
	return m, err
}

func decodeMap(in attributes) (map[string]any, error) {
	m := make(map[string]any, len(in))
	for name, av := range in {
		v, err := decode(av)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m[name] = v
	}
	return m, nil
}

// decode refuses what the port has no word for: null, fractions, sets of numbers
// or bytes. Such an item was written by somebody else.
func decode(av types.AttributeValue) (any, error) {
	switch av := av.(type) {
	case *types.AttributeValueMemberS:
		return av.Value, nil
	case *types.AttributeValueMemberN:
		return strconv.ParseInt(av.Value, 10, 64)
	case *types.AttributeValueMemberBOOL:
		return av.Value, nil
	case *types.AttributeValueMemberB:
		return append([]byte{}, av.Value...), nil
	case *types.AttributeValueMemberSS:
		return store.Set(slices.Compact(slices.Sorted(slices.Values(av.Value)))), nil
	case *types.AttributeValueMemberL:
		return decodeList(av.Value)
	case *types.AttributeValueMemberM:
		return decodeMap(av.Value)
	}
	return nil, fmt.Errorf("an attribute of type %T", av)
}

func decodeList(in []types.AttributeValue) ([]any, error) {
	l := make([]any, len(in))
	for i, av := range in {
		v, err := decode(av)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		l[i] = v
	}
	return l, nil
}
