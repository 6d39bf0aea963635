/* SPDX-License-Identifier: MIT */
/* What Muntin says, kept for unit tests to look at. */
#ifndef TESTS_HOST_LOGGED_H
#define TESTS_HOST_LOGGED_H

/* Each line with a '|' behind it; when it's full, the rest is cut. */
extern char logged[8192];

/* Messages come here from now on, and nothing has been said so far. */
void logged_begin(void);

#endif
