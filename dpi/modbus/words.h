/* SPDX-License-Identifier: Apache-2.0 */
/* The address spaces of Modbus, in the order of the table in words.c. */
#ifndef SEKISHO_DPI_MODBUS_WORDS_H
#define SEKISHO_DPI_MODBUS_WORDS_H

enum modbus_space { MODBUS_COILS = 0, MODBUS_DISCRETE = 1, MODBUS_INPUT = 2, MODBUS_HOLDING = 3 };

#endif
