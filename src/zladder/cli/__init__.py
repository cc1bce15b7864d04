"""The command zladder, for people: score, predict, runs, card."""
