/* SPDX-License-Identifier: MIT */
/* See boots.h. */
#include "tests/host/boots.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int boots_run(const struct CMUnitTest *tests, size_t count)
{
    int failed = 0;

    for (size_t i = 0; i < count; i++) {
        int status = 0;
        pid_t pid;

        fflush(NULL);
        pid = fork();
        if (pid == 0) {
            exit(_cmocka_run_group_tests(tests[i].name, &tests[i], 1, NULL, NULL));
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
            printf("[  FAILED  ] %s\n", tests[i].name); /* it may have died */
            failed++;
        }
    }
    return failed;
}
