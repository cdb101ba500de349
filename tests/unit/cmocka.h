/* SPDX-License-Identifier: Apache-2.0 */
/* Includes cmocka.h after the headers that it needs. */
#ifndef SEKISHO_TESTS_CMOCKA_H
#define SEKISHO_TESTS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
