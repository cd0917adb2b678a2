// Package recipetest is the suite that every recipe passes: known answers in a
// clean world, the same bits every time, and good manners.
//
// Takes:  a recipe.Recipe and what it claims to be able to do.
// Makes:  test failures.
// Never:  compares recipes; that is for real data and recipe.Fit.
// Start:  recipetest.go.
package recipetest
