/*
 * Every finding of the room, with the one sentence that explains it; the
 * reference page lists the same, and a test compares them.
 */
#ifndef STILE_MAP_FINDINGS_H
#define STILE_MAP_FINDINGS_H

#define STILE_MAP_CODES(X)                                                     \
    X(M101, "no such table, family or version is loaded")                      \
    X(M102, "the table has no such column")                                    \
    X(M103, "the column is missing in one version of the range")               \
    X(M104, "FHIR R4 has no such resource type")                               \
    X(M105, "the FHIR type has no such element")                               \
    X(M106, "there is no such codec")                                          \
    X(M107, "there is no such code table")                                     \
    X(M108, "no look-up or join has this short name")                          \
    X(M109, "there is no such mapping")                                        \
    X(M110, "the name is used twice")                                          \
    X(M111, "no such profile is loaded")                                       \
    X(M112, "the profile is of another resource type")                         \
    X(M201, "the codec does not make values of the element's type")            \
    X(M202, "the codec's arguments do not fit it")                             \
    X(M203, "a choice element needs ofType()")                                 \
    X(M204, "ofType() names a type the element cannot have")                   \
    X(M205, "the literal is no value of the element's type")                   \
    X(M206, "the codec's range is wider than the element's type")              \
    X(M207, "the element needs a codec by name, or the path stops too early")  \
    X(M208, "the numbers of columns and paths do not fit the codec")           \
    X(M209, "several mappings own the referenced type: say which with `of`")   \
    X(M210, "the codec does not read the column's type")                       \
    X(M211, "the element's reference may not name this resource type")         \
    X(M223, "the condition does not come to true or false")                    \
    X(M301, "two lines write one element under guards that may both hold")     \
    X(M302, "a list needs [0], where() or extension()")                        \
    X(M303, "an index or where() on an element that is no list")               \
    X(M304, "one list is reached by index and by where()")                     \
    X(M305, "[1] and up cannot be read back: use where() or list")             \
    X(M306, "one where() holds all the literals of another on the same list")  \
    X(M307, "the element is written more often than the profile allows")       \
    X(M308, "the path of `each` is no list, or another line writes the list")  \
    X(M309, "no line of the block writes the key of `each` both ways")         \
    X(M310, "the key does not tell two rows of a group apart")                 \
    X(M311, "`group by` and `each row` go together, one of each")              \
    X(M312, "`each` stands inside another block")                              \
    X(M401, "a code is not in the value set the element requires")             \
    X(M402, "two rows of a code table have one left value")                    \
    X(M403, "several rows share a right value and none is preferred")          \
    X(M404, "the code table's file cannot be read")                            \
    X(M405, "the default also occurs as data in the code table")               \
    X(M406, "the policy cannot be used here")                                  \
    X(M407, "the profile allows another value only")                           \
    X(M408, "no code is of a system that the profile requires")                \
    X(M409, "no code is of a system that the profile expects")                 \
    X(M410, "a ConceptMap says what a code table cannot hold")                 \
    X(M501, "a mandatory element is not written on every path")                \
    X(M502, "a column is neither mapped, residue nor dropped")                 \
    X(M503, "a confidentiality, consent or deleted column is not used")        \
    X(M504, "the column's account contradicts another line")                   \
    X(M505, "an element inside a written one is mandatory and not written")    \
    X(M506, "an element the profile makes mandatory is not written")           \
    X(M601, "the guard cannot be decided from the right: add `iff`")           \
    X(M602, "a one-way codec or look-up under <->")                            \
    X(M603, "a one-way line says neither derived nor lossy")                   \
    X(M604, "the look-up's column is no key column of its table")              \
    X(M605, "look-ups depend on each other in a circle")                       \
    X(M606, "a delete line needs key columns only, and an id")                 \
    X(M607, "the look-up does not say what happens when the row is missing")   \
    X(M608, "the guard can never hold")                                        \
    X(M701, "an example does not come out as expected")                        \
    X(M702, "an example does not come back as given")                          \
    X(M703, "an example's row cannot be built")                                \
    X(M704, "the mapping's law class is weaker than pinned")                   \
    X(M705, "the mapping has no example")                                      \
    X(M706, "a generated row does not come back as the mapping's class says")  \
    X(M707, "no example goes through this branch")

/* code, sentence, severity. The sentence is all that a finding on a record
 * says: it has no place for a value. */
#define STILE_MAP_RUN_CODES(X)                                                 \
    X(T101,                                                                    \
      "the cell or element is not a date of this form; correct "               \
      "it at the source",                                                      \
      ERROR)                                                                   \
    X(T102,                                                                    \
      "the cell or element is not a number; correct it at the "                \
      "source",                                                                \
      ERROR)                                                                   \
    X(T103,                                                                    \
      "the cell or element is not a GUID; correct it at the "                  \
      "source",                                                                \
      ERROR)                                                                   \
    X(T104,                                                                    \
      "the NHS number's check digit is wrong; correct it at "                  \
      "the source",                                                            \
      ERROR)                                                                   \
    X(T105,                                                                    \
      "the code is not in the code table; add a row or correct "               \
      "the source",                                                            \
      ERROR)                                                                   \
    X(T106,                                                                    \
      "the cell or element is neither true nor false; correct "                \
      "it at the source",                                                      \
      ERROR)                                                                   \
    X(T107,                                                                    \
      "the local time does not exist or occurs twice that "                    \
      "night; correct it or state earlier or later",                           \
      ERROR)                                                                   \
    X(T108,                                                                    \
      "the identifier is longer than the 64 characters FHIR "                  \
      "allows; choose a shorter key",                                          \
      ERROR)                                                                   \
    X(T109,                                                                    \
      "the number is outside its range; correct it at the "                    \
      "source",                                                                \
      ERROR)                                                                   \
    X(T110,                                                                    \
      "an element FHIR R4 requires would be missing; fill the "                \
      "column it comes from",                                                  \
      ERROR)                                                                   \
    X(T111,                                                                    \
      "a look-up found no row and the mapping rejects that; "                  \
      "send the other row",                                                    \
      ERROR)                                                                   \
    X(T113,                                                                    \
      "the cell or element is not a time of day; correct it at "               \
      "the source",                                                            \
      ERROR)                                                                   \
    X(T114,                                                                    \
      "a part holds the separator it would be joined with; "                   \
      "correct it at the source",                                              \
      ERROR)                                                                   \
    X(T115,                                                                    \
      "rows of one group differ in a column that stands outside each; "        \
      "correct it at the source",                                              \
      ERROR)                                                                   \
    X(T116,                                                                    \
      "two rows of a group, or two items of its list, have one key; "          \
      "correct it at the source",                                              \
      ERROR)                                                                   \
    X(T117, "the other rows of the group are not at hand; give them together", \
      ERROR)                                                                   \
    X(T119,                                                                    \
      "a condition of the mapping cannot be decided for this resource; "       \
      "correct it at the source",                                              \
      ERROR)                                                                   \
    X(T120, "a required cell is empty; fill it at the source", ERROR)          \
    X(T201, "control characters were replaced by spaces", WARNING)             \
    X(T202,                                                                    \
      "the date is less precise than the column; the cell was "                \
      "left empty",                                                            \
      WARNING)                                                                 \
    X(T203,                                                                    \
      "no time or no known offset; the element was left out or "               \
      "kept as a date",                                                        \
      WARNING)                                                                 \
    X(T204, "the code is not in the code table and was left out", WARNING)     \
    X(T205,                                                                    \
      "two resources give one cell different values; the first "               \
      "was kept",                                                              \
      WARNING)                                                                 \
    X(T206, "a column documented as always empty is filled; map it", WARNING)  \
    X(T207, "cells without a row to stand in were left out", WARNING)          \
    X(T208, "an item of the list has no key and was left out", WARNING)        \
    X(T301, "no mapping of the family takes this resource", NOTE)

enum stile__run_code {
#define X(code, text, severity) RUN_##code,
    STILE_MAP_RUN_CODES(X)
#undef X
    RUN_CODE_COUNT,
    RUN_NONE = RUN_CODE_COUNT
};

#endif
