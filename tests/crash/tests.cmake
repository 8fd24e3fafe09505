# kill -9 and power cuts. The short form runs here; tests/crash/run --kills 200 --cuts 100 --faults 2000, and
# tests/crash/run --points, are the long ones.
shoebox_pytest(crash.kill crash/test_kill.py crash 900)
shoebox_pytest(crash.kill_points crash/test_kill_points.py crash 900)
shoebox_pytest(crash.power_cut crash/test_power_cut.py crash 900)
shoebox_pytest(crash.faults crash/test_faults.py crash 1800)
