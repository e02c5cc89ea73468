package model

import (
	"errors"
	"fmt"
)

// Sees says whether the base takes pictures.
func (b *Base) Sees() bool { return b.Kind.Sizes().Sees() }

// ErrBlind is the error of whatever shows a picture to a base that sees nothing.
var ErrBlind = errors.New("it is a language model without a vision tower (model_type qwen2): it can be asked " +
	"without a " +
	"picture (finetui infer base - PROMPT), but data sets of pictures need a qwen2_vl")

// named puts the base before an error of its kind's.
func (b *Base) named(err error) error {
	if errors.Is(err, ErrBlind) {
		return fmt.Errorf("MODEL.BASE = %q: %w", b.Name, err)
	}
	return err
}
