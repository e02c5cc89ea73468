package model

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"finetui/ml/mapped"
)

// Weights that are cut short under an open model end a question in a sentence, whenever that happens.
func TestWeightsCutShortEndInASentence(t *testing.T) {
	question := func(int) (Question, error) {
		return Question{Shows(Pictures(noise(1, 112, 112))...), "What is shown?"}, nil
	}
	for name, when := range map[string]func(s *Subject){
		"before the first question": func(*Subject) {},
		"after one": func(s *Subject) {
			if _, err := s.Ask(context.Background(), 1, question, small); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copied(t)
			s, err := Load(openFolder(t, dir), "", 2)
			if err != nil {
				t.Fatal(err)
			}
			when(s)
			if err := os.Truncate(filepath.Join(dir, "model.safetensors"), 4096); err != nil {
				t.Fatal(err)
			}
			_, err = s.Ask(context.Background(), 1, question, small)
			var lost *mapped.Lost
			if !errors.As(err, &lost) {
				t.Errorf("error %v", err)
			}
		})
	}
	dir := copied(t)
	b := openFolder(t, dir)
	if err := os.Truncate(filepath.Join(dir, "model.safetensors"), 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(b, "", 2); err == nil {
		if s, err := Load(b, "", 2); err == nil {
			_, err = s.Ask(context.Background(), 1, question, small)
			if err == nil {
				t.Error("a base that is gone answers")
			}
		}
	}
}
