/* SPDX-License-Identifier: MIT */
/*
 * Included first in every target source: the image is one piece, so that no symbol needs a global
 * offset table to be reached.
 */
#pragma GCC visibility push(hidden)
