"""What is played: games in normal form, their catalogue, their files and observed human play."""
