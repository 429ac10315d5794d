"""The head behind `codomain label`: candidates, calibration, learning curve, rejects."""
