/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka, behind the headers that it wants before it. */
#ifndef SEKISHO_TESTS_CMOCKA_H
#define SEKISHO_TESTS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
