/* SPDX-License-Identifier: MIT */
/* Included before everything: no symbol of a guest is ever looked up through a GOT. */
#ifndef TESTS_GUESTS_LIB_HIDDEN_H
#define TESTS_GUESTS_LIB_HIDDEN_H

#pragma GCC visibility push(hidden)

#endif
