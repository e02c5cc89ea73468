package session

import (
	"reflect"
	"sync"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/recipe"
)

// seen keeps what is worked out of a whole data set each time that somebody is asked: of a million objects it takes
// seconds.
type seen struct {
	data        *dataset.Dataset
	fingerprint func() string

	mutex sync.Mutex
	by    *config.Config // the constants of the recipe that was built last
	built *recipe.Recipe
}

func newSeen(data *dataset.Dataset) *seen {
	return &seen{data: data, fingerprint: sync.OnceValue(data.Fingerprint)}
}

// through is the data set seen through constants, which must not be changed afterwards.
func (s *seen) through(c *config.Config) (*recipe.Recipe, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.by != nil && reflect.DeepEqual(s.by, c) {
		return s.built, nil
	}
	built, err := recipe.Build(s.data, c)
	if err == nil {
		s.by, s.built = c, built
	}
	return built, err
}
