package main

import "context"

func (s *stage) sam(context.Context) error { return nil }
