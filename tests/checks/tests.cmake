# Rules of the tree, each a small script that names what breaks it.
foreach(check include_rules file_size man_page formatted)
  add_test(NAME checks.${check}
    COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/checks/${check}.py ${PROJECT_SOURCE_DIR} $<TARGET_FILE:shoebox>)
  set_tests_properties(checks.${check} PROPERTIES LABELS checks TIMEOUT 120 SKIP_RETURN_CODE 77)
endforeach()
