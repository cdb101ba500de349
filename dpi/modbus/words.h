/* SPDX-License-Identifier: Apache-2.0 */
/* The address spaces of Modbus, in the order of the table in words.c, and how much of one a queue takes. */
#ifndef SEKISHO_DPI_MODBUS_WORDS_H
#define SEKISHO_DPI_MODBUS_WORDS_H

enum modbus_space { MODBUS_COILS = 0, MODBUS_DISCRETE = 1, MODBUS_INPUT = 2, MODBUS_HOLDING = 3 };

#define MODBUS_QUEUE 32u /* registers that reading a queue touches: the count and what may be in it */

#endif
