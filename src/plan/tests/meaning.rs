//! What a plan means: every default made explicit.
