# Parsers of untrusted bytes: a short form with the other tests, and with -DSHOEBOX_FUZZ=ON (preset fuzz) the
# program that tests/fuzz/run drives.
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/fuzz_*.cpp)
add_library(shoebox_fuzz STATIC ${fuzz_sources} ${CMAKE_CURRENT_LIST_DIR}/targets.cpp)
set_target_properties(shoebox_fuzz PROPERTIES UNITY_BUILD OFF)  # each target has its own run() and seeds()
target_include_directories(shoebox_fuzz PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(shoebox_fuzz PUBLIC shoebox_sync shoebox_remote shoebox_store)

add_executable(fuzz_short ${CMAKE_CURRENT_LIST_DIR}/short_runs_test.cpp ${CMAKE_CURRENT_LIST_DIR}/mutate.cpp)
target_link_libraries(fuzz_short PRIVATE shoebox_fuzz GTest::gtest_main)
target_compile_definitions(fuzz_short PRIVATE SHOEBOX_FUZZ_FOUND="${CMAKE_CURRENT_LIST_DIR}/found")
add_test(NAME fuzz.short COMMAND fuzz_short)
set_tests_properties(fuzz.short PROPERTIES LABELS unit TIMEOUT 300)

if(SHOEBOX_FUZZ)
  add_executable(shoebox_fuzzer ${CMAKE_CURRENT_LIST_DIR}/libfuzzer_main.cpp)
  target_link_libraries(shoebox_fuzzer PRIVATE shoebox_fuzz)
  target_link_options(shoebox_fuzzer PRIVATE -fsanitize=fuzzer)
endif()
