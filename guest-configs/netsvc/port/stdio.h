/* SPDX-License-Identifier: MIT */
/* <stdio.h> of the target: lwIP includes it and uses nothing of it. */
