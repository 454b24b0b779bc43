"""What befalls monitord itself: a locked database, a full disk, a lost process, a broken file."""
